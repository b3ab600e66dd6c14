// SPDX-License-Identifier: Apache-2.0
// What is asked of the memory controller.
//
// Source: none.
// Units:  as the names say.
// Errors: none.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/base/clock.h"

namespace core::cgroup {

// What the host has decides which files are worth reading.
struct MemoryQuery {
  bool has_swap = false;                   // without it the swap files are not read
  uint64_t huge_page_kib = 0;              // the default size; 0 when the host has no huge pages
  uint64_t host_total_bytes = UINT64_MAX;  // a limit that is not below it limits nothing
  uint64_t host_swap_bytes = UINT64_MAX;   // the same for swap
  Nanoseconds now{};                       // monotonic
  Nanoseconds max_age{};                   // an ancestor's numbers may be so old; 0: read them
  std::atomic<uint64_t>* level_reads = nullptr;  // counts the ancestors that are read; may be null
};

}  // namespace core::cgroup
