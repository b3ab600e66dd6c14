// SPDX-License-Identifier: Apache-2.0
#include "core/base/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"

namespace core {
namespace {

constexpr mode_t kMode = 0600;
// A keeper in the middle of a change of workers answers when that is done.
constexpr timeval kAnswerTime = {.tv_sec = 20, .tv_usec = 0};

struct Address {
  sockaddr_un name{};
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

Result<Address> ToAddress(const std::string& path) {
  Address address;
  address.name.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.name.sun_path) {
    return Error{.errno_value = ENAMETOOLONG, .operation = "bind", .path = path};
  }
  std::memcpy(address.name.sun_path, path.c_str(), path.size() + 1);
  return address;
}

}  // namespace

Result<Fd> OfferHandover(const std::string& path) {
  const auto address = ToAddress(path);
  if (!address) return address.error();
  (void)unlink(path.c_str());
  Fd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return SystemError("make socket", path);
  if (bind(listener.get(), address->get(), sizeof address->name) != 0) {
    return SystemError("bind", path);
  }
  if (chmod(path.c_str(), kMode) != 0) return SystemError("chmod", path);
  if (listen(listener.get(), 1) != 0) return SystemError("listen", path);
  return listener;
}

Result<Fd> HandOverFromWorker(int listener, std::span<const int> fds) {
  Fd link(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!link.valid()) return SystemError("accept", kHandoverName);
  const Status sent = SendLink(link.get(), LinkMessage::kHandover, 0, fds);
  if (!sent) return sent.error();
  return link;
}

Status HandOverFromKeeper(int listener, std::span<const int> fds, int link, pid_t worker) {
  const Fd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection.valid()) return SystemError("accept", kKeeperName);
  std::vector<int> all(fds.begin(), fds.end());
  if (link >= 0) all.push_back(link);
  const auto value = static_cast<uint32_t>(worker);
  return SendLink(connection.get(), LinkMessage::kKeeperHandover, value, all);
}

Result<Handover> RequestHandover(const std::string& path) {
  const auto address = ToAddress(path);
  if (!address) return address.error();
  Fd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!connection.valid()) return SystemError("make socket", path);
  if (connect(connection.get(), address->get(), sizeof address->name) != 0) {
    return SystemError("connect", path);
  }
  if (setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTime, sizeof kAnswerTime) !=
      0) {
    return SystemError("limit waiting on", path);
  }
  auto packet = ReceiveLink(connection.get());
  if (!packet) return packet.error();
  Handover handover;
  handover.fds = std::move(packet->fds);
  if (packet->message == LinkMessage::kHandover) {
    constexpr timeval kNoLimit = {};
    (void)setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kNoLimit, sizeof kNoLimit);
    handover.link = std::move(connection);
  } else if (packet->message == LinkMessage::kKeeperHandover) {
    handover.link = std::move(packet->link);
    handover.worker = static_cast<pid_t>(packet->value);
  } else {
    return Error{.errno_value = EBADMSG, .operation = "receive", .path = path};
  }
  return handover;
}

}  // namespace core
