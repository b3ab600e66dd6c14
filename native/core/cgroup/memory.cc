// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/memory.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/key_table.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::cgroup {
namespace {

// v1 prints LONG_MAX rounded down to a page: 9223372036854771712 with pages of 4 KiB, and down to
// this with pages of 64 KiB (arm64, POWER).
constexpr uint64_t kNoLimitBytes = 0x7fff'ffff'ffff'0000;

struct Field {
  std::string_view key;
  uint64_t MemoryStat::* member = nullptr;  // null: not used, here to keep searches short
};

// In the kernel's order (mm/memcontrol.c, memory_stats[] and memcg_vm_event_stat[], 6.18).
constexpr std::array kFieldsV2{
    Field{"anon", &MemoryStat::anon},
    Field{"file", &MemoryStat::file},
    Field{"kernel", nullptr},
    Field{"kernel_stack", &MemoryStat::kernel_stack},
    Field{"pagetables", &MemoryStat::pagetables},
    Field{"sec_pagetables", &MemoryStat::sec_pagetables},
    Field{"percpu", &MemoryStat::percpu},
    Field{"sock", nullptr},
    Field{"vmalloc", nullptr},
    Field{"shmem", &MemoryStat::shmem},
    Field{"zswap", &MemoryStat::zswap},
    Field{"zswapped", &MemoryStat::zswapped},
    Field{"file_mapped", &MemoryStat::file_mapped},
    Field{"file_dirty", &MemoryStat::file_dirty},
    Field{"file_writeback", &MemoryStat::file_writeback},
    Field{"swapcached", &MemoryStat::swapcached},
    Field{"anon_thp", &MemoryStat::anon_thp},
    Field{"file_thp", &MemoryStat::file_thp},
    Field{"shmem_thp", &MemoryStat::shmem_thp},
    Field{"inactive_anon", &MemoryStat::inactive_anon},
    Field{"active_anon", &MemoryStat::active_anon},
    Field{"inactive_file", &MemoryStat::inactive_file},
    Field{"active_file", &MemoryStat::active_file},
    Field{"unevictable", &MemoryStat::unevictable},
    Field{"slab_reclaimable", &MemoryStat::slab_reclaimable},
    Field{"slab_unreclaimable", &MemoryStat::slab_unreclaimable},
    Field{"slab", &MemoryStat::slab},
    Field{"hugetlb", nullptr},
    Field{"workingset_refault_anon", &MemoryStat::workingset_refault_anon},
    Field{"workingset_refault_file", &MemoryStat::workingset_refault_file},
    Field{"workingset_activate_anon", &MemoryStat::workingset_activate_anon},
    Field{"workingset_activate_file", &MemoryStat::workingset_activate_file},
    Field{"workingset_restore_anon", &MemoryStat::workingset_restore_anon},
    Field{"workingset_restore_file", &MemoryStat::workingset_restore_file},
    Field{"workingset_nodereclaim", &MemoryStat::workingset_nodereclaim},
    Field{"pgdemote_kswapd", nullptr},
    Field{"pgdemote_direct", nullptr},
    Field{"pgdemote_khugepaged", nullptr},
    Field{"pgdemote_proactive", nullptr},
    Field{"pgpromote_success", nullptr},
    Field{"pgscan", &MemoryStat::pgscan},
    Field{"pgsteal", &MemoryStat::pgsteal},
    Field{"pswpin", &MemoryStat::pswpin},
    Field{"pswpout", &MemoryStat::pswpout},
    Field{"pgscan_kswapd", &MemoryStat::pgscan_kswapd},
    Field{"pgscan_direct", &MemoryStat::pgscan_direct},
    Field{"pgscan_khugepaged", &MemoryStat::pgscan_khugepaged},
    Field{"pgscan_proactive", &MemoryStat::pgscan_proactive},
    Field{"pgsteal_kswapd", &MemoryStat::pgsteal_kswapd},
    Field{"pgsteal_direct", &MemoryStat::pgsteal_direct},
    Field{"pgsteal_khugepaged", &MemoryStat::pgsteal_khugepaged},
    Field{"pgsteal_proactive", &MemoryStat::pgsteal_proactive},
    Field{"pgfault", &MemoryStat::pgfault},
    Field{"pgmajfault", &MemoryStat::pgmajfault},
    Field{"pgrefill", &MemoryStat::pgrefill},
    Field{"pgactivate", &MemoryStat::pgactivate},
    Field{"pgdeactivate", &MemoryStat::pgdeactivate},
    Field{"pglazyfree", &MemoryStat::pglazyfree},
    Field{"pglazyfreed", &MemoryStat::pglazyfreed},
    Field{"swpin_zero", &MemoryStat::swpin_zero},
    Field{"swpout_zero", &MemoryStat::swpout_zero},
    Field{"zswpin", &MemoryStat::zswpin},
    Field{"zswpout", &MemoryStat::zswpout},
    Field{"zswpwb", &MemoryStat::zswpwb},
    Field{"thp_fault_alloc", &MemoryStat::thp_fault_alloc},
    Field{"thp_collapse_alloc", &MemoryStat::thp_collapse_alloc},
    Field{"thp_swpout", &MemoryStat::thp_swpout},
    Field{"thp_swpout_fallback", &MemoryStat::thp_swpout_fallback},
};

// In the kernel's order (mm/memcontrol-v1.c, memcg1_stat_format()).
constexpr std::array kFieldsV1{
    Field{"total_cache", &MemoryStat::file},
    Field{"total_rss", &MemoryStat::anon},
    Field{"total_rss_huge", &MemoryStat::anon_thp},
    Field{"total_shmem", &MemoryStat::shmem},
    Field{"total_mapped_file", &MemoryStat::file_mapped},
    Field{"total_dirty", &MemoryStat::file_dirty},
    Field{"total_writeback", &MemoryStat::file_writeback},
    Field{"total_workingset_refault_anon", &MemoryStat::workingset_refault_anon},
    Field{"total_workingset_refault_file", &MemoryStat::workingset_refault_file},
    Field{"total_swap", &MemoryStat::total_swap},
    Field{"total_swapcached", &MemoryStat::swapcached},
    Field{"total_pgpgin", &MemoryStat::pgpgin},
    Field{"total_pgpgout", &MemoryStat::pgpgout},
    Field{"total_pgfault", &MemoryStat::pgfault},
    Field{"total_pgmajfault", &MemoryStat::pgmajfault},
    Field{"total_inactive_anon", &MemoryStat::inactive_anon},
    Field{"total_active_anon", &MemoryStat::active_anon},
    Field{"total_inactive_file", &MemoryStat::inactive_file},
    Field{"total_active_file", &MemoryStat::active_file},
    Field{"total_unevictable", &MemoryStat::unevictable},
};

std::optional<uint64_t> LimitOf(uint64_t bytes) {
  return bytes >= kNoLimitBytes ? std::nullopt : std::optional(bytes);
}

// False for a limit that is not a number.
bool ParseHierarchicalLimit(std::string_view key, std::string_view value, MemoryStat& stat) {
  const bool is_memory = key == "hierarchical_memory_limit";
  if (!is_memory && key != "hierarchical_memsw_limit") return true;
  const auto bytes = ParseU64(value);
  if (!bytes) return false;
  (is_memory ? stat.hierarchical_memory_limit : stat.hierarchical_memsw_limit) = LimitOf(*bytes);
  return true;
}

bool ParseField(KeyFinder<Field>& fields,
                std::string_view key,
                std::string_view value,
                MemoryStat& stat) {
  const Field* const field = fields.Find(key);
  if (field == nullptr || field->member == nullptr) return true;
  const auto number = ParseU64(value);
  if (number) stat.*field->member = *number;
  return number.has_value();
}

}  // namespace

Result<std::optional<uint64_t>> ParseLimit(std::string_view text) {
  const std::string_view limit = TakeLine(text);
  if (limit == "max" || limit == "-1") return std::optional<uint64_t>();
  const auto bytes = ParseU64(limit);
  if (!bytes) return ParseErrorAt(1);
  return LimitOf(*bytes);
}

Result<uint64_t> ParseCount(std::string_view text) {
  const auto count = ParseU64(TakeLine(text));
  if (!count) return ParseErrorAt(1);
  return *count;
}

Result<MemoryStat> ParseMemoryStatV2(std::string_view text) {
  MemoryStat stat;
  KeyFinder<Field> fields(kFieldsV2);
  for (int line = 1; !text.empty(); ++line) {
    std::string_view value = TakeLine(text);
    const std::string_view key = TakeUntil(value, ' ');
    if (!ParseField(fields, key, value, stat)) return ParseErrorAt(line);
  }
  return stat;
}

Result<MemoryStat> ParseMemoryStatV1(std::string_view text) {
  MemoryStat stat;
  KeyFinder<Field> fields(kFieldsV1);
  for (int line = 1; !text.empty(); ++line) {
    std::string_view value = TakeLine(text);
    const std::string_view key = TakeUntil(value, ' ');
    // The other keys count the cgroup without its descendants.
    const bool is_good = key.starts_with("total_") ? ParseField(fields, key, value, stat)
                                                   : ParseHierarchicalLimit(key, value, stat);
    if (!is_good) return ParseErrorAt(line);
  }
  return stat;
}

}  // namespace core::cgroup
