// SPDX-License-Identifier: Apache-2.0
// What each cgroup on the way to the root lets everything below it have, and what is left of it.
//
// A limit is shared by all that is below it: what a neighbour uses is not there for the container.
//
// Source: Documentation/admin-guide/cgroup-v2.rst, "Memory Interface Files";
//         Documentation/admin-guide/cgroup-v1/memory.rst; mm/memcontrol.c, mem_cgroup_margin().
// Units:  bytes, as the kernel writes them.
// Errors: EINVAL for text that is not the kernel's; the errno of open or read otherwise. A file
// that
//         the kernel does not have there limits nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_query.h"

namespace core::cgroup {

class CgroupDir;

// One cgroup. `usage_bytes` and `reclaimable_bytes` are 0 where nothing limits memory.
struct MemoryLevel {
  std::optional<uint64_t> limit_bytes;  // memory.max; v1: memory.limit_in_bytes
  std::optional<uint64_t> high_bytes;   // memory.high
  uint64_t usage_bytes = 0;
  uint64_t reclaimable_bytes = 0;  // without swapping: page cache, and slab where v2 counts it

  std::optional<uint64_t> swap_limit_bytes;  // v2: memory.swap.max
  uint64_t swap_usage_bytes = 0;

  std::optional<uint64_t> memsw_limit_bytes;  // v1: memory and swap together
  uint64_t memsw_usage_bytes = 0;

  // v1: memory.use_hierarchy is 0, which leaves what is below uncounted here and further up.
  bool ends_hierarchy = false;

  [[nodiscard]] bool LimitsMemory() const { return limit_bytes || high_bytes; }
  [[nodiscard]] bool LimitsAny() const {
    return LimitsMemory() || swap_limit_bytes || memsw_limit_bytes;
  }
};

// nullopt is no limit.
[[nodiscard]] std::optional<uint64_t> SmallerLimit(const std::optional<uint64_t>& a,
                                                   const std::optional<uint64_t>& b);

// Subtraction saturates: the kernel allows usage above a limit for a moment.
[[nodiscard]] MemoryRoom RoomOf(const MemoryLevel& level);
[[nodiscard]] MemoryRoom SmallerRoom(const MemoryRoom& a, const MemoryRoom& b);

// Pages that the kernel takes back before it swaps or kills; v1 counts no slab.
[[nodiscard]] uint64_t ReclaimableBytes(const MemoryStat& stat);

// A level, from its files. Where nothing is limited, its usage is not read.
Result<MemoryLevel> ReadMemoryLevelV1(CgroupDir& dir, FileBuffer& buffer, const MemoryQuery& query);
Result<MemoryLevel> ReadMemoryLevelV2(CgroupDir& dir, FileBuffer& buffer, const MemoryQuery& query);

// The limits alone, one that is not below what the host has left out.
Status ReadMemoryLimitsV1(CgroupDir& dir,
                          FileBuffer& buffer,
                          const MemoryQuery& query,
                          MemoryLevel& level);
Status ReadMemoryLimitsV2(CgroupDir& dir,
                          FileBuffer& buffer,
                          const MemoryQuery& query,
                          MemoryLevel& level);

}  // namespace core::cgroup
