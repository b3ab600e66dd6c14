// SPDX-License-Identifier: Apache-2.0
#include "keeper/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace keeper {
namespace {

// More than is ever sent at once.
constexpr size_t kFdsMax = 4;

union Control {
  std::array<char, CMSG_SPACE(sizeof(int) * kFdsMax)> bytes;
  cmsghdr alignment;
};

}  // namespace

Notifier Notifier::FromEnvironment() {
  Notifier notifier;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread.
  const char* const path = getenv("NOTIFY_SOCKET");
  if (path != nullptr && std::strlen(path) < sizeof(sockaddr_un::sun_path)) {
    notifier.path_ = path;
    notifier.socket_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }
  for (const char* const name : {"NOTIFY_SOCKET",
                                 "WATCHDOG_PID",
                                 "WATCHDOG_USEC",
                                 "LISTEN_PID",
                                 "LISTEN_FDS",
                                 "LISTEN_FDNAMES"}) {
    (void)unsetenv(name);  // NOLINT(concurrency-mt-unsafe): there is one thread.
  }
  return notifier;
}

std::string StatusOf(unsigned problems) {
  if (problems == 0) return "STATUS=Serving";
  return "STATUS=Degraded: the configuration is wrong, the last good one is in force; problems: " +
         std::to_string(problems) + " (lensfs config check)";
}

void Notifier::Send(std::string_view lines, std::span<const int> fds) const {
  if (!IsListening() || fds.size() > kFdsMax) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  // The name of an abstract socket begins with a zero byte, for which the variable has an @.
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  std::string text(lines);
  iovec part{.iov_base = text.data(), .iov_len = text.size()};
  msghdr packet{};
  packet.msg_name = &address;
  packet.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  Control control{};
  if (!fds.empty()) {
    packet.msg_control = control.bytes.data();
    packet.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* const header = CMSG_FIRSTHDR(&packet);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
  }
  (void)sendmsg(socket_.get(), &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace keeper
