// SPDX-License-Identifier: Apache-2.0
// The memory controller of one container root and of the ancestors that limit it.
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_level.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/cgroup/memory_query.h"

namespace core::cgroup {
namespace {

using ReadLevel = Result<MemoryLevel> (*)(CgroupDir&, FileBuffer&, const MemoryQuery&);

// An ancestor's numbers, read once for all views below it.
Result<MemoryLevel> GetLevel(CgroupDir& dir,
                             ReadLevel read,
                             FileBuffer& buffer,
                             const MemoryQuery& query) {
  // An explanation is made of what is read for it.
  const bool may_share = buffer.Log() == nullptr;
  if (!may_share) return read(dir, buffer, query);
  const auto shared =
      dir.SharedMemoryLevel().Get(query.now, query.max_age, [&](MemoryLevel& level) -> Status {
        auto made = read(dir, buffer, query);
        if (!made) return made.error();
        level = *made;
        if (query.level_reads != nullptr) query.level_reads->fetch_add(1);
        return Unit{};
      });
  if (!shared) return shared.error();
  return **shared;
}

void AddLevel(const MemoryLevel& level, Memory& memory) {
  memory.room = SmallerRoom(memory.room, RoomOf(level));
  memory.limit_bytes = SmallerLimit(memory.limit_bytes, level.limit_bytes);
  memory.swap_limit_bytes = SmallerLimit(memory.swap_limit_bytes, level.swap_limit_bytes);
}

}  // namespace

Result<std::optional<Memory>> Cgroup::ReadMemory(FileBuffer& buffer,
                                                 const MemoryQuery& query) const {
  if (IsRoot(Controller::kMemory)) return std::optional<Memory>();
  auto memory = VersionOf(Controller::kMemory) == Version::kV1 ? ReadMemoryV1(buffer, query)
                                                               : ReadMemoryV2(buffer, query);
  if (!memory) return memory;
  if (std::optional<Memory>& found = *memory) {
    const auto status = ReadHugeTlb(buffer, query.huge_page_kib, *found);
    if (!status) return status.error();
  }
  return memory;
}

// hierarchical_*_limit already are the smallest on the way to the root; without any, no ancestor is
// looked at. memory.stat before usage_in_bytes: page cache that comes in between is in use, and not
// counted twice as what can be reclaimed.
Result<std::optional<Memory>> Cgroup::ReadMemoryV1(FileBuffer& buffer,
                                                   const MemoryQuery& query) const {
  const Chain& chain = ChainOf(Controller::kMemory);
  CgroupDir& dir = *chain.front();
  Memory memory;
  auto text = dir.Read(CgroupFile::kMemoryStat, buffer);
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV1(*text);
  if (!stat) return stat.error();
  memory.stat = *stat;
  text = dir.Read(CgroupFile::kMemoryUsageInBytes, buffer);
  if (!text) return text.error();
  const auto usage = ParseCount(*text);
  if (!usage) return usage.error();
  memory.usage_bytes = *usage;
  memory.swap_usage_bytes = stat->total_swap;
  // Kernel memory is not in v1's memory.stat; the file went away with some kernels'
  // CONFIG_MEMCG_V1.
  text = dir.Read(CgroupFile::kMemoryKmemUsageInBytes, buffer);
  if (text) {
    const auto kmem = ParseCount(*text);
    if (!kmem) return kmem.error();
    memory.stat.slab_unreclaimable = *kmem;
    memory.stat.slab = *kmem;
  }
  const std::optional<uint64_t>& limit_bytes = stat->hierarchical_memory_limit;
  if (!limit_bytes) return std::optional(memory);
  memory.limit_bytes = limit_bytes;
  if (stat->hierarchical_memsw_limit) {
    memory.swap_limit_bytes = SaturatingSub(*stat->hierarchical_memsw_limit, *limit_bytes);
  }
  MemoryLevel own;
  own.usage_bytes = memory.usage_bytes;
  own.reclaimable_bytes = ReclaimableBytes(*stat);
  own.memsw_usage_bytes = SaturatingAdd(memory.usage_bytes, memory.swap_usage_bytes);
  const auto status = ReadMemoryLimitsV1(dir, buffer, query, own);
  if (!status) return status.error();
  AddLevel(own, memory);
  for (auto ancestor = chain.begin() + 1; ancestor != chain.end(); ++ancestor) {
    const auto level = GetLevel(**ancestor, ReadMemoryLevelV1, buffer, query);
    if (!level) return level.error();
    if (level->ends_hierarchy) break;
    AddLevel(*level, memory);
  }
  return std::optional(memory);
}

// The first level is the nearest that counts memory: the kernel accounts there when the controller
// is not enabled further down.
Result<std::optional<Memory>> Cgroup::ReadMemoryV2(FileBuffer& buffer,
                                                   const MemoryQuery& query) const {
  Memory memory;
  bool is_counted = false;
  for (const auto& dir : ChainOf(Controller::kMemory)) {
    if (!is_counted) {
      const auto own = ReadOwnMemoryV2(*dir, buffer, query, memory);
      if (!own) return own.error();
      is_counted = *own;
      continue;
    }
    const auto level = GetLevel(*dir, ReadMemoryLevelV2, buffer, query);
    if (!level) return level.error();
    AddLevel(*level, memory);
  }
  return is_counted ? std::optional(memory) : std::nullopt;
}

Result<std::vector<MemoryLevelReport>> Cgroup::DescribeMemoryLevels(FileBuffer& buffer,
                                                                    const MemoryQuery& query,
                                                                    bool with_neighbours) const {
  const Version version = VersionOf(Controller::kMemory);
  const ReadLevel read = version == Version::kV1 ? ReadMemoryLevelV1 : ReadMemoryLevelV2;
  std::vector<MemoryLevelReport> reports;
  std::string_view below;  // the level that was looked at last
  for (const auto& dir : ChainOf(Controller::kMemory)) {
    const auto level = GetLevel(*dir, read, buffer, query);
    if (!level) return level.error();
    if (level->ends_hierarchy && !below.empty()) break;
    const std::string_view own_child = below.substr(below.rfind('/') + 1);
    below = dir->Path();
    if (!level->LimitsAny()) continue;
    MemoryLevelReport& report = reports.emplace_back();
    report = {.path = dir->Path(), .level = *level, .room = RoomOf(*level), .neighbours = {}};
    if (!with_neighbours) continue;
    auto neighbours = ReadMemoryNeighbours(*dir, own_child, version, buffer);
    if (!neighbours) return neighbours.error();
    report.neighbours = std::move(*neighbours);
  }
  return reports;
}

// False when `dir` counts no memory.
Result<bool> Cgroup::ReadOwnMemoryV2(CgroupDir& dir,
                                     FileBuffer& buffer,
                                     const MemoryQuery& query,
                                     Memory& memory) {
  auto text = dir.Read(CgroupFile::kMemoryStat, buffer);
  // A removed cgroup has no files either: that is an error, not a controller that is off.
  if (!text && IsMissing(text.error()) && dir.IsAlive()) return false;
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV2(*text);
  if (!stat) return stat.error();
  memory.stat = *stat;
  text = dir.Read(CgroupFile::kMemoryCurrent, buffer);
  if (!text) return text.error();
  const auto usage = ParseCount(*text);
  if (!usage) return usage.error();
  memory.usage_bytes = *usage;
  if (query.has_swap) {
    text = dir.Read(CgroupFile::kMemorySwapCurrent, buffer);
    const auto swap = text ? ParseCount(*text) : Result<uint64_t>(uint64_t{0});
    if (!text && !IsMissing(text.error())) return text.error();
    if (!swap) return swap.error();
    memory.swap_usage_bytes = *swap;
  }
  MemoryLevel own;
  own.usage_bytes = memory.usage_bytes;
  own.reclaimable_bytes = ReclaimableBytes(*stat);
  own.swap_usage_bytes = memory.swap_usage_bytes;
  const auto status = ReadMemoryLimitsV2(dir, buffer, query, own);
  if (!status) return status.error();
  AddLevel(own, memory);
  return true;
}

}  // namespace core::cgroup
