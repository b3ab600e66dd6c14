// SPDX-License-Identifier: Apache-2.0
// The memory controller's files, v1 and v2 in one record.
//
// Source: Documentation/admin-guide/cgroup-v2.rst "Memory Interface Files",
//         Documentation/admin-guide/cgroup-v1/memory.rst.
// Units:  bytes, as the kernel writes them; events are counts.
// Errors: EINVAL with the line for a known key or a limit that is not a number. Unknown keys are
//         skipped, missing keys stay 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.h"

namespace core::cgroup {

// memory.stat under its v2 names. From v1 the total_ keys are taken (a subtree's sums, as v2's
// are): total_cache is `file`, total_rss is `anon` (which includes huge pages), total_rss_huge is
// `anon_thp`, total_mapped_file is `file_mapped`, total_dirty and total_writeback are `file_*`.
struct MemoryStat {
  uint64_t anon = 0, file = 0, shmem = 0;
  uint64_t file_mapped = 0, file_dirty = 0, file_writeback = 0;
  uint64_t active_anon = 0, inactive_anon = 0, active_file = 0, inactive_file = 0;
  uint64_t unevictable = 0;
  uint64_t slab_reclaimable = 0, slab_unreclaimable = 0, slab = 0;
  uint64_t kernel_stack = 0, pagetables = 0, sec_pagetables = 0, percpu = 0;
  uint64_t anon_thp = 0, shmem_thp = 0, file_thp = 0;
  uint64_t zswap = 0, zswapped = 0, swapcached = 0;
  uint64_t total_swap = 0;  // v1 only: swap in use by the subtree
  uint64_t pgfault = 0, pgmajfault = 0;
  uint64_t pgscan = 0, pgsteal = 0, pgactivate = 0, pgdeactivate = 0, pgrefill = 0, pglazyfree = 0;
  uint64_t pglazyfreed = 0;
  uint64_t pgscan_kswapd = 0, pgscan_direct = 0, pgsteal_kswapd = 0, pgsteal_direct = 0;
  uint64_t pgscan_khugepaged = 0, pgscan_proactive = 0;
  uint64_t pgsteal_khugepaged = 0, pgsteal_proactive = 0;
  uint64_t workingset_refault_anon = 0, workingset_refault_file = 0;
  uint64_t workingset_activate_anon = 0, workingset_activate_file = 0, workingset_nodereclaim = 0;
  uint64_t workingset_restore_anon = 0, workingset_restore_file = 0;
  uint64_t thp_fault_alloc = 0, thp_collapse_alloc = 0;
  uint64_t thp_swpout = 0, thp_swpout_fallback = 0;
  uint64_t pswpin = 0, pswpout = 0, zswpin = 0, zswpout = 0;
  uint64_t zswpwb = 0, swpin_zero = 0, swpout_zero = 0;
  uint64_t pgpgin = 0, pgpgout = 0;  // v1 only: pages charged and uncharged
  // v1 only: the smallest limit on the way to the root.
  std::optional<uint64_t> hierarchical_memory_limit, hierarchical_memsw_limit;
};

// hugetlb.<size>.{max,current} (v2) or {limit,usage}_in_bytes (v1) of the host's default size.
struct HugeTlb {
  uint64_t limit_bytes = 0;
  uint64_t usage_bytes = 0;
};

// What a container can still get: the smallest over all levels, the container root and its
// ancestors. nullopt: no level limits it.
struct MemoryRoom {
  std::optional<uint64_t> free_bytes;        // limit - usage
  std::optional<uint64_t> available_bytes;   // min(limit, high) - usage + reclaimable
  std::optional<uint64_t> swap_free_bytes;   // v2: swap limit - swap usage
  std::optional<uint64_t> memsw_free_bytes;  // v1: of memory and swap together
};

// What one container root may use and uses. Limits are the smallest on the way to the root.
struct Memory {
  std::optional<uint64_t> limit_bytes;
  uint64_t usage_bytes = 0;
  std::optional<uint64_t> swap_limit_bytes;  // swap alone; v1: memsw limit - memory limit
  uint64_t swap_usage_bytes = 0;
  MemoryStat stat;
  MemoryRoom room;
  std::optional<HugeTlb> hugetlb;  // only when it is limited
};

// A limit file: "max", "-1" and v1's 9223372036854771712 mean "no limit" (nullopt).
Result<std::optional<uint64_t>> ParseLimit(std::string_view text);

// A file with a single number, as memory.current: "123456\n".
Result<uint64_t> ParseCount(std::string_view text);

// "anon 1597440"
Result<MemoryStat> ParseMemoryStatV2(std::string_view text);

// "total_rss 1597440", "hierarchical_memory_limit 67108864"
Result<MemoryStat> ParseMemoryStatV1(std::string_view text);

}  // namespace core::cgroup
