// SPDX-License-Identifier: Apache-2.0
// mm/vmstat.c: vmstat_show() (6.18): "%s %lu\n", the host's keys in the host's order. Different on
// purpose: values are the cgroup's memory.stat, at most the host's, and 0 where it counts nothing
// of the kind. pgpgin and pgpgout are KiB moved from and to disks, which v1's keys of these names
// (pages charged and uncharged) are not, so they come from the container's disk counters.
#include "core/proc/vmstat.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/key_table.h"
#include "core/base/units.h"
#include "core/base/write_text.h"
#include "core/cgroup/memory.h"
#include "core/model/disk_view.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

using cgroup::MemoryStat;

constexpr uint64_t kEvents = 1;
// mm/vmstat.c: vmstat_item_print_in_thp(); huge pages of 2 MiB, the size with pages of 4 KiB.
constexpr uint64_t kBytesPerHugePage = uint64_t{2} << 20;

struct Field {
  std::string_view key;
  uint64_t MemoryStat::* member = nullptr;
  uint64_t unit = kEvents;  // the member is divided by it
};

constexpr Field Pages(std::string_view key, uint64_t MemoryStat::* member) {
  return {.key = key, .member = member, .unit = kBytesPerPage};
}
constexpr Field HugePages(std::string_view key, uint64_t MemoryStat::* member) {
  return {.key = key, .member = member, .unit = kBytesPerHugePage};
}
constexpr Field Events(std::string_view key, uint64_t MemoryStat::* member) {
  return {.key = key, .member = member};
}

// In the kernel's order.
constexpr std::array kFields{
    Pages("nr_zone_inactive_anon", &MemoryStat::inactive_anon),
    Pages("nr_zone_active_anon", &MemoryStat::active_anon),
    Pages("nr_zone_inactive_file", &MemoryStat::inactive_file),
    Pages("nr_zone_active_file", &MemoryStat::active_file),
    Pages("nr_zone_unevictable", &MemoryStat::unevictable),
    Pages("nr_mlock", &MemoryStat::unevictable),
    Pages("nr_inactive_anon", &MemoryStat::inactive_anon),
    Pages("nr_active_anon", &MemoryStat::active_anon),
    Pages("nr_inactive_file", &MemoryStat::inactive_file),
    Pages("nr_active_file", &MemoryStat::active_file),
    Pages("nr_unevictable", &MemoryStat::unevictable),
    Pages("nr_slab_reclaimable", &MemoryStat::slab_reclaimable),
    Pages("nr_slab_unreclaimable", &MemoryStat::slab_unreclaimable),
    Events("workingset_refault_anon", &MemoryStat::workingset_refault_anon),
    Events("workingset_refault_file", &MemoryStat::workingset_refault_file),
    Events("workingset_activate_anon", &MemoryStat::workingset_activate_anon),
    Events("workingset_activate_file", &MemoryStat::workingset_activate_file),
    Events("workingset_restore_anon", &MemoryStat::workingset_restore_anon),
    Events("workingset_restore_file", &MemoryStat::workingset_restore_file),
    Events("workingset_nodereclaim", &MemoryStat::workingset_nodereclaim),
    Pages("nr_anon_pages", &MemoryStat::anon),
    Pages("nr_mapped", &MemoryStat::file_mapped),
    Pages("nr_file_pages", &MemoryStat::file),
    Pages("nr_dirty", &MemoryStat::file_dirty),
    Pages("nr_writeback", &MemoryStat::file_writeback),
    Pages("nr_shmem", &MemoryStat::shmem),
    HugePages("nr_shmem_hugepages", &MemoryStat::shmem_thp),
    HugePages("nr_file_hugepages", &MemoryStat::file_thp),
    HugePages("nr_anon_transparent_hugepages", &MemoryStat::anon_thp),
    Field{.key = "nr_kernel_stack", .member = &MemoryStat::kernel_stack, .unit = kBytesPerKib},
    Pages("nr_page_table_pages", &MemoryStat::pagetables),
    Pages("nr_sec_page_table_pages", &MemoryStat::sec_pagetables),
    Pages("nr_swapcached", &MemoryStat::swapcached),
    Events("pswpin", &MemoryStat::pswpin),
    Events("pswpout", &MemoryStat::pswpout),
    Events("pgactivate", &MemoryStat::pgactivate),
    Events("pgdeactivate", &MemoryStat::pgdeactivate),
    Events("pglazyfree", &MemoryStat::pglazyfree),
    Events("pgfault", &MemoryStat::pgfault),
    Events("pgmajfault", &MemoryStat::pgmajfault),
    Events("pglazyfreed", &MemoryStat::pglazyfreed),
    Events("pgrefill", &MemoryStat::pgrefill),
    Events("pgsteal_kswapd", &MemoryStat::pgsteal_kswapd),
    Events("pgsteal_direct", &MemoryStat::pgsteal_direct),
    Events("pgsteal_khugepaged", &MemoryStat::pgsteal_khugepaged),
    Events("pgsteal_proactive", &MemoryStat::pgsteal_proactive),
    Events("pgscan_kswapd", &MemoryStat::pgscan_kswapd),
    Events("pgscan_direct", &MemoryStat::pgscan_direct),
    Events("pgscan_khugepaged", &MemoryStat::pgscan_khugepaged),
    Events("pgscan_proactive", &MemoryStat::pgscan_proactive),
    Events("thp_fault_alloc", &MemoryStat::thp_fault_alloc),
    Events("thp_collapse_alloc", &MemoryStat::thp_collapse_alloc),
    Events("thp_swpout", &MemoryStat::thp_swpout),
    Events("thp_swpout_fallback", &MemoryStat::thp_swpout_fallback),
    Events("swpin_zero", &MemoryStat::swpin_zero),
    Events("swpout_zero", &MemoryStat::swpout_zero),
    Events("zswpin", &MemoryStat::zswpin),
    Events("zswpout", &MemoryStat::zswpout),
    Events("zswpwb", &MemoryStat::zswpwb),
};

uint64_t SumOf(const std::vector<model::DiskRow>& disks, uint64_t model::DiskRow::* member) {
  uint64_t sum = 0;
  for (const model::DiskRow& disk : disks) sum = SaturatingAdd(sum, disk.*member);
  return sum;
}

// The few that are not one number of memory.stat.
uint64_t OtherValue(std::string_view key, const Sheet& sheet) {
  constexpr uint64_t kSectorsPerKib = kBytesPerKib / kBytesPerSector;
  constexpr uint64_t kKibPerPage = kBytesPerPage / kBytesPerKib;
  if (key == "nr_free_pages") return sheet.memory.mem_free / kKibPerPage;
  if (key == "nr_zone_write_pending") {
    const MemoryStat& stat = sheet.memory_stat;
    return stat.file_dirty / kBytesPerPage + stat.file_writeback / kBytesPerPage;
  }
  if (key == "pgpgin") return SumOf(sheet.disks, &model::DiskRow::read_sectors) / kSectorsPerKib;
  if (key == "pgpgout") return SumOf(sheet.disks, &model::DiskRow::write_sectors) / kSectorsPerKib;
  return 0;
}

}  // namespace

void RenderVmStat(const Sheet& sheet, TextWriter& out) {
  KeyFinder<Field> fields(kFields);
  for (const proc::VmStatLine& line : *sheet.host_vmstat) {
    const Field* const field = fields.Find(line.key);
    const uint64_t value = field == nullptr ? OtherValue(line.key, sheet)
                                            : sheet.memory_stat.*field->member / field->unit;
    out.Put(line.key).Put(' ').PutU64(std::min(value, line.value)).Put('\n');
  }
}

}  // namespace core::render
