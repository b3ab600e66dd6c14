// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/memory_neighbours.h"

#include <dirent.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory.h"

namespace core::cgroup {
namespace {

// A container may have as many children as it likes: what is looked at has an end.
constexpr uint64_t kMostNeighbours = 4096;

// 0 for a file that is not there and for text that is no number.
uint64_t ReadBytes(int level_fd, const std::string& child, const char* name, FileBuffer& buffer) {
  const auto text = ReadFileAt(level_fd, (child + "/" + name).c_str(), buffer);
  if (!text) return 0;
  // "max" protects all that is in use.
  if (text->starts_with("max")) return UINT64_MAX;
  const auto count = ParseCount(*text);
  return count ? *count : 0;
}

MemoryNeighbour ReadNeighbour(int level_fd, std::string name, Version version, FileBuffer& buffer) {
  MemoryNeighbour neighbour;
  if (version == Version::kV2) {
    neighbour.usage_bytes = ReadBytes(level_fd, name, "memory.current", buffer);
    neighbour.min_bytes = ReadBytes(level_fd, name, "memory.min", buffer);
    neighbour.low_bytes = ReadBytes(level_fd, name, "memory.low", buffer);
  } else {
    neighbour.usage_bytes = ReadBytes(level_fd, name, "memory.usage_in_bytes", buffer);
  }
  neighbour.name = std::move(name);
  return neighbour;
}

// Keeps the kShown that come first by `is_before`.
template <typename IsBefore>
void KeepFirst(std::vector<MemoryNeighbour>& kept,
               const MemoryNeighbour& neighbour,
               IsBefore is_before) {
  kept.insert(std::ranges::upper_bound(kept, neighbour, is_before), neighbour);
  if (kept.size() > MemoryNeighbours::kShown) kept.pop_back();
}

uint64_t ProtectedBytes(const MemoryNeighbour& neighbour) {
  return std::min(std::max(neighbour.min_bytes, neighbour.low_bytes), neighbour.usage_bytes);
}

void Add(const MemoryNeighbour& neighbour, MemoryNeighbours& found) {
  ++found.count;
  KeepFirst(found.largest, neighbour, [](const MemoryNeighbour& a, const MemoryNeighbour& b) {
    return a.usage_bytes > b.usage_bytes;
  });
  if (ProtectedBytes(neighbour) == 0) return;
  KeepFirst(found.protecting, neighbour, [](const MemoryNeighbour& a, const MemoryNeighbour& b) {
    return ProtectedBytes(a) > ProtectedBytes(b);
  });
}

}  // namespace

Result<MemoryNeighbours> ReadMemoryNeighbours(const CgroupDir& level,
                                              std::string_view own_child,
                                              Version version,
                                              FileBuffer& buffer) {
  MemoryNeighbours found;
  if (own_child.empty()) return found;
  auto fd = level.OpenDirectory();
  if (!fd) return fd.error();
  const auto readable = OpenAt(fd->get(), ".");
  if (!readable) return readable.error();
  const int level_fd = readable->get();
  auto listed = OpenAt(level_fd, ".");
  if (!listed) return listed.error();
  DIR* const dir = fdopendir(listed->get());
  if (dir == nullptr) return SystemError("list", level.Path());
  (void)listed->release();  // closedir closes it
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (entry->d_type != DT_DIR || name.starts_with('.') || name == own_child) continue;
    found.has_more = found.count >= kMostNeighbours;
    if (found.has_more) break;
    Add(ReadNeighbour(level_fd, std::string(name), version, buffer), found);
  }
  closedir(dir);
  return found;
}

}  // namespace core::cgroup
