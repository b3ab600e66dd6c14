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

// The room of the path to the root; the host's own numbers where no level limits anything.
// Reclaimable memory of other tenants of the host is available to this one too, so the host's
// available memory is a bound (applied with the other lines of the host), its free memory is none.
void DeriveMain(const cgroup::Memory& memory, const proc::MemInfo& host, MemoryView& view) {
  view.mem_total = LimitKib(memory.limit_bytes, host.ValueOf("MemTotal"));
  const cgroup::MemoryRoom& room = memory.room;
  view.mem_free = room.free_bytes ? Kib(*room.free_bytes) : host.ValueOf("MemFree");
  view.mem_free = std::min(view.mem_free, view.mem_total);
  view.mem_available =
      room.available_bytes ? Kib(*room.available_bytes) : host.ValueOf("MemAvailable");
  view.mem_available = std::min(view.mem_available, view.mem_total);
}

// v1 limits memory and swap together: what is left of both, less what is left of memory.
uint64_t SwapFreeKib(const cgroup::MemoryRoom& room, uint64_t mem_free_kib, uint64_t host_kib) {
  if (room.swap_free_bytes) return Kib(*room.swap_free_bytes);
  if (room.memsw_free_bytes) return SaturatingSub(Kib(*room.memsw_free_bytes), mem_free_kib);
  return host_kib;
}

void DeriveSwap(const cgroup::Memory& memory,
                const proc::MemInfo& host,
                const MemoryPolicy& policy,
                MemoryView& view) {
  if (!policy.swap) return;
  view.swap_total = LimitKib(memory.swap_limit_bytes, host.ValueOf("SwapTotal"));
  view.swap_free =
      std::min(SwapFreeKib(memory.room, view.mem_free, host.ValueOf("SwapFree")), view.swap_total);
}

// `percent` of `kib`; the largest number when that does not fit.
uint64_t PercentOf(uint64_t kib, uint64_t percent) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(kib, percent, &product)) return UINT64_MAX;
  return product / 100;
}

// mm/util.c, vm_commit_limit(): limit = swap + (overcommit_kbytes when it is set, else memory *
// ratio / 100); committed = what would need backing if all of it were written: anonymous memory,
// shared memory and swap in use.
void DeriveCommit(const cgroup::Memory& memory, const MemoryPolicy& policy, MemoryView& view) {
  const uint64_t of_memory = policy.overcommit_kib != 0
                                 ? std::min(policy.overcommit_kib, view.mem_total)
                                 : PercentOf(view.mem_total, policy.overcommit_ratio);
  view.commit_limit = SaturatingAdd(view.swap_total, of_memory);
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

// memory.stat may be ahead of the usage that it is a part of: Cached, then SReclaimable give way,
// so that no reader computes a used memory below 0. Slab is the sum of its parts.
void KeepSums(uint64_t host_slab_kib, MemoryView& view) {
  uint64_t rest = SaturatingSub(view.mem_total, view.mem_free);
  view.s_reclaimable = std::min(view.s_reclaimable, rest);
  rest -= view.s_reclaimable;
  view.cached = std::min(view.cached, rest);
  view.k_reclaimable = std::min(view.k_reclaimable, view.s_reclaimable);
  view.slab = std::min(SaturatingAdd(view.s_reclaimable, view.s_unreclaim), host_slab_kib);
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
    if (line != nullptr && line->member != &MemoryView::mem_free)
      ClampLine(*line, host_line.value, view);
  }
}

}  // namespace

MemoryView DeriveMemoryView(const cgroup::Memory& memory,
                            const proc::MemInfo& host,
                            const MemoryPolicy& policy) {
  MemoryView view;
  DeriveMain(memory, host, view);
  DeriveSwap(memory, host, policy, view);
  DeriveCommit(memory, policy, view);
  CopyStat(memory.stat, view);
  view.huge_pages = DeriveHugePages(memory, host.ValueOf("Hugepagesize"));
  ClampToHost(host, view);
  KeepSums(host.ValueOf("Slab"), view);
  // A limit of less than 1 KiB is a limit of the kernel's accounting, not the size of a machine:
  // readers divide by MemTotal.
  view.mem_total = std::max(view.mem_total, uint64_t{1});
  return view;
}

}  // namespace core::model
