// SPDX-License-Identifier: Apache-2.0
#include "core/base/link.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core {
namespace {

constexpr const char* kPath = "link";

struct Words {
  uint32_t message = 0;
  uint32_t value = 0;
};

// Those that outlive a worker, and the link to it.
constexpr size_t kFdsMax = kLinkFdCount + 1;

// Room for the descriptors of one packet, aligned as the kernel wants it.
union Control {
  std::array<char, CMSG_SPACE(sizeof(int) * kFdsMax)> bytes;
  cmsghdr alignment;
};

}  // namespace

Status SendLink(int socket, LinkMessage message, uint32_t value, std::span<const int> fds) {
  Words words{.message = static_cast<uint32_t>(message), .value = value};
  iovec part{.iov_base = &words, .iov_len = sizeof words};
  msghdr packet{};
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
  if (sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return SystemError("send", kPath);
  return Unit{};
}

Result<LinkPacket> ReceiveLink(int socket) {
  Words words;
  iovec part{.iov_base = &words, .iov_len = sizeof words};
  Control control{};
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  packet.msg_control = control.bytes.data();
  packet.msg_controllen = control.bytes.size();
  ssize_t length = -1;
  do {
    length = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return SystemError("receive", kPath);
  if (length == 0) return Error{.errno_value = ECONNRESET, .operation = "receive", .path = kPath};
  LinkPacket received{.message = static_cast<LinkMessage>(words.message),
                      .value = words.value,
                      .fds = {},
                      .link = {}};
  const cmsghdr* const header = CMSG_FIRSTHDR(&packet);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    const size_t count = std::min((header->cmsg_len - CMSG_LEN(0)) / sizeof(int), kFdsMax);
    std::array<int, kFdsMax> fds{};
    std::memcpy(fds.data(), CMSG_DATA(header), count * sizeof(int));
    for (size_t index = 0; index < count; ++index) {
      Fd& place = index < kLinkFdCount ? received.fds.at(index) : received.link;
      place.reset(fds.at(index));
    }
  }
  if (length != sizeof words || (packet.msg_flags & MSG_CTRUNC) != 0) {
    return Error{.errno_value = EBADMSG, .operation = "receive", .path = kPath};
  }
  return received;
}

}  // namespace core
