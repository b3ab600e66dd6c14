// SPDX-License-Identifier: Apache-2.0
// Mounts of a peer group, and those that follow it, outside of a container.
//
// Source: proc(5): /proc/<pid>/mountinfo, "shared:7" and "master:7"; ioctl_ns(2), NS_GET_PARENT.
// Units:  bytes and std::chrono.
// Errors: none; what could not be looked at, or not in time, is told apart.
#pragma once

#include <cstdint>

#include "core/base/fd.h"

namespace attach {

enum class Outside : uint8_t { kNothing, kSomething, kUnknown };

// A container, by what tells its processes from others.
struct Namespaces {
  uint64_t mounts = 0;  // inode of its ns/mnt
  uint64_t pids = 0;    // inode of its ns/pid; those made in it count as it
};

// Looks at every mount namespace that a process in `proc`, the host's /proc, is in. Bounded in
// bytes and time: a container decides how many mounts it has.
Outside FindPeersOutside(const core::Fd& proc, const Namespaces& container, uint64_t group);

}  // namespace attach
