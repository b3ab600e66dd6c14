// SPDX-License-Identifier: Apache-2.0
#include "core/model/memory_view.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/key_table.h"
#include "core/base/units.h"
#include "core/cgroup/memory.h"
#include "core/model/memory_lines.h"
#include "core/proc/meminfo.h"

namespace core::model {
namespace {

constexpr uint64_t Kib(uint64_t bytes) {
  return bytes / kBytesPerKib;
}

uint64_t LimitKib(const std::optional<uint64_t>& limit_bytes, uint64_t host_kib) {
  return limit_bytes ? std::min(Kib(*limit_bytes), host_kib) : host_kib;
}

// free = limit - usage; available = free + what can be reclaimed without swapping. The host's own
// available memory, the third bound of the contract, is applied with the other lines of the host:
// what other tenants hold in reclaimable memory is available to this one too.
void DeriveMain(const cgroup::Memory& memory, uint64_t host_total_kib, MemoryView& view) {
  const cgroup::MemoryStat& stat = memory.stat;
  view.mem_total = LimitKib(memory.limit_bytes, host_total_kib);
  view.mem_free = SaturatingSub(view.mem_total, Kib(memory.usage_bytes));
  view.mem_available = std::min(
      view.mem_free + Kib(stat.active_file) + Kib(stat.inactive_file) + Kib(stat.slab_reclaimable),
      view.mem_total);
}

void DeriveSwap(const cgroup::Memory& memory,
                uint64_t host_total_kib,
                const MemoryPolicy& policy,
                MemoryView& view) {
  if (!policy.swap) return;
  view.swap_total = LimitKib(memory.swap_limit_bytes, host_total_kib);
  view.swap_free = SaturatingSub(view.swap_total, Kib(memory.swap_usage_bytes));
}

// `percent` of `kib`; the largest number when that does not fit.
uint64_t PercentOf(uint64_t kib, uint64_t percent) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(kib, percent, &product)) return UINT64_MAX;
  return product / 100;
}

// limit = swap + memory * ratio / 100; committed = what would need backing if all of it were
// written: anonymous memory, shared memory and swap in use.
void DeriveCommit(const cgroup::Memory& memory, const MemoryPolicy& policy, MemoryView& view) {
  view.commit_limit =
      SaturatingAdd(view.swap_total, PercentOf(view.mem_total, policy.overcommit_ratio));
  view.committed_as = Kib(memory.stat.anon) + Kib(memory.stat.shmem) + Kib(memory.swap_usage_bytes);
}

struct StatField {
  uint64_t MemoryView::* kib;
  uint64_t cgroup::MemoryStat::* bytes;
};

constexpr std::array kStatFields{
    StatField{&MemoryView::cached, &cgroup::MemoryStat::file},
    StatField{&MemoryView::swap_cached, &cgroup::MemoryStat::swapcached},
    StatField{&MemoryView::active_anon, &cgroup::MemoryStat::active_anon},
    StatField{&MemoryView::inactive_anon, &cgroup::MemoryStat::inactive_anon},
    StatField{&MemoryView::active_file, &cgroup::MemoryStat::active_file},
    StatField{&MemoryView::inactive_file, &cgroup::MemoryStat::inactive_file},
    StatField{&MemoryView::unevictable, &cgroup::MemoryStat::unevictable},
    StatField{&MemoryView::mlocked, &cgroup::MemoryStat::unevictable},
    StatField{&MemoryView::zswap, &cgroup::MemoryStat::zswap},
    StatField{&MemoryView::zswapped, &cgroup::MemoryStat::zswapped},
    StatField{&MemoryView::dirty, &cgroup::MemoryStat::file_dirty},
    StatField{&MemoryView::writeback, &cgroup::MemoryStat::file_writeback},
    StatField{&MemoryView::anon_pages, &cgroup::MemoryStat::anon},
    StatField{&MemoryView::mapped, &cgroup::MemoryStat::file_mapped},
    StatField{&MemoryView::shmem, &cgroup::MemoryStat::shmem},
    StatField{&MemoryView::k_reclaimable, &cgroup::MemoryStat::slab_reclaimable},
    StatField{&MemoryView::slab, &cgroup::MemoryStat::slab},
    StatField{&MemoryView::s_reclaimable, &cgroup::MemoryStat::slab_reclaimable},
    StatField{&MemoryView::s_unreclaim, &cgroup::MemoryStat::slab_unreclaimable},
    StatField{&MemoryView::kernel_stack, &cgroup::MemoryStat::kernel_stack},
    StatField{&MemoryView::page_tables, &cgroup::MemoryStat::pagetables},
    StatField{&MemoryView::sec_page_tables, &cgroup::MemoryStat::sec_pagetables},
    StatField{&MemoryView::percpu, &cgroup::MemoryStat::percpu},
    StatField{&MemoryView::anon_huge_pages, &cgroup::MemoryStat::anon_thp},
    StatField{&MemoryView::shmem_huge_pages, &cgroup::MemoryStat::shmem_thp},
    StatField{&MemoryView::file_huge_pages, &cgroup::MemoryStat::file_thp},
};

void CopyStat(const cgroup::MemoryStat& stat, MemoryView& view) {
  for (const StatField& field : kStatFields) view.*field.kib = Kib(stat.*field.bytes);
  view.active = view.active_anon + view.active_file;
  view.inactive = view.inactive_anon + view.inactive_file;
}

// total = limit, free = limit - usage, in pages of the host's default size. Reservations are
// accounted by another controller (hugetlb.<size>.rsvd), surplus pages only by the host.
std::optional<HugePages> DeriveHugePages(const cgroup::Memory& memory, uint64_t page_kib) {
  if (!memory.hugetlb || page_kib == 0) return std::nullopt;
  const uint64_t limit_pages = Kib(memory.hugetlb->limit_bytes) / page_kib;
  const uint64_t used_pages = Kib(memory.hugetlb->usage_bytes) / page_kib;
  return HugePages{.total = limit_pages,
                   .free = SaturatingSub(limit_pages, used_pages),
                   .hugetlb_kib = limit_pages * page_kib};
}

void ClampLine(const MemoryLine& line, uint64_t host, MemoryView& view) {
  if (line.member != nullptr) view.*line.member = std::min(view.*line.member, host);
  if (line.huge_member != nullptr && view.huge_pages) {
    uint64_t& pages = *view.huge_pages.*line.huge_member;
    pages = std::min(pages, host);
  }
}

void ClampToHost(const proc::MemInfo& host, MemoryView& view) {
  KeyFinder<MemoryLine> lines(kMemoryLines);
  for (const proc::MemInfoLine& host_line : host.Lines()) {
    const MemoryLine* const line = lines.Find(host_line.label);
    if (line != nullptr) ClampLine(*line, host_line.value, view);
  }
}

}  // namespace

MemoryView DeriveMemoryView(const cgroup::Memory& memory,
                            const proc::MemInfo& host,
                            const MemoryPolicy& policy) {
  MemoryView view;
  DeriveMain(memory, host.ValueOf("MemTotal"), view);
  DeriveSwap(memory, host.ValueOf("SwapTotal"), policy, view);
  DeriveCommit(memory, policy, view);
  CopyStat(memory.stat, view);
  view.huge_pages = DeriveHugePages(memory, host.ValueOf("Hugepagesize"));
  ClampToHost(host, view);
  // A limit of less than 1 KiB is a limit of the kernel's accounting, not the size of a machine:
  // readers divide by MemTotal.
  view.mem_total = std::max(view.mem_total, uint64_t{1});
  return view;
}

}  // namespace core::model
