// SPDX-License-Identifier: Apache-2.0
// The cgroups that share a level's limit with a container, for explanations.
//
// Source: cgroupfs: every directory below the level's is a cgroup.
// Units:  bytes.
// Errors: errno of opening the level; a neighbour that cannot be read is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory_level.h"

namespace core::cgroup {

struct MemoryNeighbour {
  std::string name;  // of its directory below the level's
  uint64_t usage_bytes = 0;
  uint64_t min_bytes = 0;  // v2: memory.min, which keeps its memory from being reclaimed
  uint64_t low_bytes = 0;  // v2: memory.low
};

struct MemoryNeighbours {
  static constexpr size_t kShown = 3;

  // The largest users first, at most kShown.
  std::vector<MemoryNeighbour> largest;
  // All whose memory.min or memory.low protects something, at most kShown.
  std::vector<MemoryNeighbour> protecting;
  uint64_t count = 0;     // all neighbours that were looked at
  bool has_more = false;  // there are more than are looked at
};

// One level as an explanation tells of it.
struct MemoryLevelReport {
  std::string path;  // of the cgroup's directory
  MemoryLevel level;
  MemoryRoom room;
  MemoryNeighbours neighbours;
};

// `own_child` is the name of the child that the container is in; empty for the container root.
Result<MemoryNeighbours> ReadMemoryNeighbours(const CgroupDir& level,
                                              std::string_view own_child,
                                              Version version,
                                              FileBuffer& buffer);

}  // namespace core::cgroup
