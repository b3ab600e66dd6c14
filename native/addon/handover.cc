// SPDX-License-Identifier: Apache-2.0
#include "addon/handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"

namespace addon {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::SystemError;

constexpr mode_t kMode = 0600;

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

Result<Fd> AcceptHandover(int listener, std::span<const int> fds) {
  Fd link(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!link.valid()) return SystemError("accept", kHandoverName);
  const core::Status sent = core::SendLink(link.get(), core::LinkMessage::kHandover, 0, fds);
  if (!sent) return sent.error();
  return link;
}

Result<Handover> RequestHandover(const std::string& path) {
  const auto address = ToAddress(path);
  if (!address) return address.error();
  Handover handover;
  handover.link.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!handover.link.valid()) return SystemError("make socket", path);
  if (connect(handover.link.get(), address->get(), sizeof address->name) != 0) {
    return SystemError("connect", path);
  }
  auto packet = core::ReceiveLink(handover.link.get());
  if (!packet) return packet.error();
  if (packet->message != core::LinkMessage::kHandover) {
    return Error{.errno_value = EBADMSG, .operation = "receive", .path = path};
  }
  handover.fds = std::move(packet->fds);
  return handover;
}

}  // namespace addon
