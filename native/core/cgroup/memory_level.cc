// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/memory_level.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_query.h"

namespace core::cgroup {
namespace {

std::optional<uint64_t> Left(const std::optional<uint64_t>& limit_bytes, uint64_t usage_bytes) {
  if (!limit_bytes) return std::nullopt;
  return SaturatingSub(*limit_bytes, usage_bytes);
}

// nullopt for a file that is not there, "max", and a limit that is not below `host_bytes`.
Status ReadLimit(CgroupDir& dir,
                 CgroupFile file,
                 FileBuffer& buffer,
                 uint64_t host_bytes,
                 std::optional<uint64_t>& limit) {
  const auto text = dir.Read(file, buffer);
  if (!text) return IsMissing(text.error()) ? Status(Unit{}) : Status(text.error());
  const auto parsed = ParseLimit(*text);
  if (!parsed) return parsed.error();
  if (*parsed && **parsed < host_bytes) limit = *parsed;
  return Unit{};
}

// 0 for a file that is not there.
Status ReadCount(CgroupDir& dir, CgroupFile file, FileBuffer& buffer, uint64_t& count) {
  const auto text = dir.Read(file, buffer);
  if (!text) return IsMissing(text.error()) ? Status(Unit{}) : Status(text.error());
  const auto parsed = ParseCount(*text);
  if (!parsed) return parsed.error();
  count = *parsed;
  return Unit{};
}

}  // namespace

std::optional<uint64_t> SmallerLimit(const std::optional<uint64_t>& a,
                                     const std::optional<uint64_t>& b) {
  if (!a) return b;
  return b ? std::min(*a, *b) : a;
}

MemoryRoom RoomOf(const MemoryLevel& level) {
  MemoryRoom room;
  room.free_bytes = Left(level.limit_bytes, level.usage_bytes);
  // Usage above memory.high has to be reclaimed before there is room.
  room.available_bytes = Left(SmallerLimit(level.limit_bytes, level.high_bytes),
                              SaturatingSub(level.usage_bytes, level.reclaimable_bytes));
  room.swap_free_bytes = Left(level.swap_limit_bytes, level.swap_usage_bytes);
  room.memsw_free_bytes = Left(level.memsw_limit_bytes, level.memsw_usage_bytes);
  return room;
}

MemoryRoom SmallerRoom(const MemoryRoom& a, const MemoryRoom& b) {
  return {.free_bytes = SmallerLimit(a.free_bytes, b.free_bytes),
          .available_bytes = SmallerLimit(a.available_bytes, b.available_bytes),
          .swap_free_bytes = SmallerLimit(a.swap_free_bytes, b.swap_free_bytes),
          .memsw_free_bytes = SmallerLimit(a.memsw_free_bytes, b.memsw_free_bytes)};
}

uint64_t ReclaimableBytes(const MemoryStat& stat) {
  return SaturatingAdd(SaturatingAdd(stat.active_file, stat.inactive_file), stat.slab_reclaimable);
}

Status ReadMemoryLimitsV1(CgroupDir& dir,
                          FileBuffer& buffer,
                          const MemoryQuery& query,
                          MemoryLevel& level) {
  auto status = ReadLimit(
      dir, CgroupFile::kMemoryLimitInBytes, buffer, query.host_total_bytes, level.limit_bytes);
  if (!status || !query.has_swap) return status;
  const uint64_t host_bytes = SaturatingAdd(query.host_total_bytes, query.host_swap_bytes);
  return ReadLimit(
      dir, CgroupFile::kMemoryMemswLimitInBytes, buffer, host_bytes, level.memsw_limit_bytes);
}

Status ReadMemoryLimitsV2(CgroupDir& dir,
                          FileBuffer& buffer,
                          const MemoryQuery& query,
                          MemoryLevel& level) {
  auto status =
      ReadLimit(dir, CgroupFile::kMemoryMax, buffer, query.host_total_bytes, level.limit_bytes);
  if (!status) return status;
  status =
      ReadLimit(dir, CgroupFile::kMemoryHigh, buffer, query.host_total_bytes, level.high_bytes);
  if (!status || !query.has_swap) return status;
  return ReadLimit(
      dir, CgroupFile::kMemorySwapMax, buffer, query.host_swap_bytes, level.swap_limit_bytes);
}

Result<MemoryLevel> ReadMemoryLevelV1(CgroupDir& dir,
                                      FileBuffer& buffer,
                                      const MemoryQuery& query) {
  MemoryLevel level;
  uint64_t use_hierarchy = 1;
  auto status = ReadCount(dir, CgroupFile::kMemoryUseHierarchy, buffer, use_hierarchy);
  if (!status) return status.error();
  level.ends_hierarchy = use_hierarchy == 0;
  status = ReadMemoryLimitsV1(dir, buffer, query, level);
  if (!status) return status.error();
  if (!level.LimitsAny()) return level;
  const auto text = dir.Read(CgroupFile::kMemoryStat, buffer);
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV1(*text);
  if (!stat) return stat.error();
  level.reclaimable_bytes = ReclaimableBytes(*stat);
  status = ReadCount(dir, CgroupFile::kMemoryUsageInBytes, buffer, level.usage_bytes);
  if (!status) return status.error();
  level.memsw_usage_bytes = SaturatingAdd(level.usage_bytes, stat->total_swap);
  return level;
}

// memory.stat before memory.current: page cache that comes in between is in use, and not counted
// twice as what can be reclaimed.
Result<MemoryLevel> ReadMemoryLevelV2(CgroupDir& dir,
                                      FileBuffer& buffer,
                                      const MemoryQuery& query) {
  MemoryLevel level;
  auto status = ReadMemoryLimitsV2(dir, buffer, query, level);
  if (!status) return status.error();
  if (level.swap_limit_bytes) {
    status = ReadCount(dir, CgroupFile::kMemorySwapCurrent, buffer, level.swap_usage_bytes);
    if (!status) return status.error();
  }
  if (!level.LimitsMemory()) return level;
  const auto text = dir.Read(CgroupFile::kMemoryStat, buffer);
  if (!text) return text.error();
  const auto stat = ParseMemoryStatV2(*text);
  if (!stat) return stat.error();
  level.reclaimable_bytes = ReclaimableBytes(*stat);
  status = ReadCount(dir, CgroupFile::kMemoryCurrent, buffer, level.usage_bytes);
  if (!status) return status.error();
  return level;
}

}  // namespace core::cgroup
