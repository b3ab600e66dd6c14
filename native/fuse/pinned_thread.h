// SPDX-License-Identifier: Apache-2.0
// The CPU that the calling thread runs on.
//
// Source: sched_setaffinity(2).
// Units:  the number of a CPU.
// Errors: false: the CPU is offline, or outside this process's cpuset.
#pragma once

#include <sched.h>

#include <cstddef>

namespace fuse_layer {

inline bool PinThread(size_t cpu) {
  cpu_set_t* const set = CPU_ALLOC(cpu + 1);
  if (set == nullptr) return false;
  const size_t size = CPU_ALLOC_SIZE(cpu + 1);
  CPU_ZERO_S(size, set);
  CPU_SET_S(cpu, size, set);
  const bool is_pinned = sched_setaffinity(0, size, set) == 0;
  CPU_FREE(set);
  return is_pinned;
}

}  // namespace fuse_layer
