// SPDX-License-Identifier: Apache-2.0
// How a worker whose keeper is dead gives all that outlives it to the next keeper.
//
// Source: unix(7); core/base/link.h. The connection becomes the link between the two.
// Units:  none.
// Errors: errno of the system calls; ENOENT or ECONNREFUSED when nobody offers anything.
#pragma once

#include <array>
#include <span>
#include <string>

#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"

namespace addon {

struct Handover {
  core::Fd link;
  std::array<core::Fd, core::kLinkFdCount> fds;
};

// The name of the socket in the run directory.
inline constexpr const char* kHandoverName = "handover.sock";

// Listens at `path` in place of whatever was there; for root only.
core::Result<core::Fd> OfferHandover(const std::string& path);

// Takes one connection from `listener` and sends `fds`; the link. EAGAIN when nobody is there.
core::Result<core::Fd> AcceptHandover(int listener, std::span<const int> fds);

core::Result<Handover> RequestHandover(const std::string& path);

}  // namespace addon
