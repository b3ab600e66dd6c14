// SPDX-License-Identifier: Apache-2.0
// Memory and swap as a container sees them.
//
// Source: the project's contract for values, "meminfo and swaps".
// Units:  KiB, except the HugePages_* counts.
// Errors: none; no value is above the host's line of the same name, but for MemFree: the host has
//         little of it on a busy machine, which says nothing of a limited container.
#pragma once

#include <cstdint>
#include <optional>

#include "core/cgroup/memory.h"
#include "core/proc/meminfo.h"

namespace core::model {

struct MemoryPolicy {
  bool swap = true;                // false: the container is shown no swap
  uint64_t overcommit_ratio = 50;  // vm.overcommit_ratio of the host, percent
  uint64_t overcommit_kib = 0;     // vm.overcommit_kbytes of the host; 0: the ratio counts
};

struct HugePages {
  uint64_t total = 0, free = 0, rsvd = 0, surp = 0;  // pages
  uint64_t hugetlb_kib = 0;
};

// Only lines that the container's cgroup decides; a host line that has no member here is the
// host's.
struct MemoryView {
  uint64_t mem_total = 0, mem_free = 0, mem_available = 0, buffers = 0, cached = 0, swap_cached = 0;
  uint64_t active = 0, inactive = 0, active_anon = 0, inactive_anon = 0, active_file = 0,
           inactive_file = 0, unevictable = 0, mlocked = 0;
  uint64_t swap_total = 0, swap_free = 0, zswap = 0, zswapped = 0;
  uint64_t dirty = 0, writeback = 0, anon_pages = 0, mapped = 0, shmem = 0;
  uint64_t k_reclaimable = 0, slab = 0, s_reclaimable = 0, s_unreclaim = 0;
  uint64_t kernel_stack = 0, page_tables = 0, sec_page_tables = 0, percpu = 0;
  uint64_t commit_limit = 0, committed_as = 0;
  uint64_t anon_huge_pages = 0, shmem_huge_pages = 0, file_huge_pages = 0;
  std::optional<HugePages> huge_pages;  // only when the hugetlb controller limits them
};

MemoryView DeriveMemoryView(const cgroup::Memory& memory,
                            const proc::MemInfo& host,
                            const MemoryPolicy& policy);

}  // namespace core::model
