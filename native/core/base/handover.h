// SPDX-License-Identifier: Apache-2.0
// How a keeper gets all that outlives it from whoever had it before: from another keeper that
// lives, or from the worker of one that is dead.
//
// Source: unix(7); core/base/link.h.
// Units:  none.
// Errors: errno of the system calls; ENOENT or ECONNREFUSED when nobody offers anything.
#pragma once

#include <sys/types.h>

#include <array>
#include <span>
#include <string>

#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"

namespace core {

struct Handover {
  // To the worker that serves; invalid when there is none.
  Fd link;
  // That worker; 0 when it is the peer of the link's connection.
  pid_t worker = 0;
  std::array<Fd, kLinkFdCount> fds;
};

// The names of the sockets in the run directory.
inline constexpr const char* kHandoverName = "handover.sock";  // a worker's without a keeper
inline constexpr const char* kKeeperName = "keeper.sock";      // a keeper's that may be replaced

// Listens at `path` in place of whatever was there; for root only.
Result<Fd> OfferHandover(const std::string& path);

// Takes one connection from `listener`, which does not block, and sends the descriptors. EAGAIN
// when nobody is there.
//
// From a worker: the connection is the link from then on.
Result<Fd> HandOverFromWorker(int listener, std::span<const int> fds);
// From a keeper: its end of the link to `worker`, unless that is -1, goes with them.
Status HandOverFromKeeper(int listener, std::span<const int> fds, int link, pid_t worker);

Result<Handover> RequestHandover(const std::string& path);

}  // namespace core
