// SPDX-License-Identifier: Apache-2.0
// Walks over a cgroup and everything below it.
//
// Source: cgroupfs: every directory is a cgroup.
// Units:  none.
// Errors: errno of opening the cgroup itself; a descendant that is removed in between is left out.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/time_budget.h"
#include "core/cgroup/open_below.h"

namespace core::cgroup {

// A directory's links are its name, its "." and each child's "..". File systems that do not count
// them say 1.
inline bool HasNoChildren(const struct stat& dir) {
  return dir.st_nlink == 2;
}

inline bool IsLeaf(int dir_fd) {
  struct stat status{};
  return fstat(dir_fd, &status) == 0 && HasNoChildren(status);
}

// How far a walk goes: cgroups nest as deep and as wide as their owner likes.
struct WalkLimit {
  size_t cgroups_max;
  TimeBudget budget;
};

// Calls `visit(fd)` with a descriptor of `dir_fd`, then of each cgroup below it, until it returns
// false. Without recursion, and with one descriptor at a time. False: there is more than `limit`
// allows.
template <typename Visit>
Result<bool> ForEachDescendant(int dir_fd, const WalkLimit& limit, Visit visit) {
  // Names that wait take no more room than this.
  constexpr size_t kPendingBytesMax = size_t{4} * 1024 * 1024;
  std::vector<std::string> pending = {"."};
  size_t pending_bytes = 1;
  bool is_whole = true;
  for (size_t visited = 0; !pending.empty(); ++visited) {
    if (visited >= limit.cgroups_max || limit.budget.IsSpent()) return false;
    const std::string path = std::move(pending.back());
    pending.pop_back();
    pending_bytes -= path.size();
    auto fd = OpenBelowDirectory(dir_fd, path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd) {
      if (path == ".") return fd.error();
      continue;
    }
    if (!visit(fd->get())) break;
    if (!is_whole || IsLeaf(fd->get())) continue;
    DIR* const dir = fdopendir(fd->get());
    if (dir == nullptr) continue;
    (void)fd->release();  // closedir closes it
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
      std::string child = (path + "/").append(name);
      is_whole = pending_bytes + child.size() <= kPendingBytesMax &&
                 visited + pending.size() < limit.cgroups_max;
      if (!is_whole) break;  // those that wait are visited still
      pending_bytes += child.size();
      pending.push_back(std::move(child));
    }
    closedir(dir);
  }
  return is_whole;
}

}  // namespace core::cgroup
