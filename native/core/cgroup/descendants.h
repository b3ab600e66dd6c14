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

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

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

// Calls `visit(fd)` with a descriptor of `dir_fd`, then of each cgroup below it, until it returns
// false. Without recursion, and with one descriptor at a time: cgroups nest as deep and as wide as
// their owner likes.
template <typename Visit>
Status ForEachDescendant(int dir_fd, Visit visit) {
  std::vector<std::string> pending = {"."};
  while (!pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    Fd fd(openat(dir_fd, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid()) {
      if (path == ".") return SystemError("open", "cgroup");
      continue;
    }
    if (!visit(fd.get())) break;
    if (IsLeaf(fd.get())) continue;
    DIR* const dir = fdopendir(fd.get());
    if (dir == nullptr) continue;
    (void)fd.release();  // closedir closes it
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
    while (const dirent* entry = readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") {
        pending.push_back((path + "/").append(name));
      }
    }
    closedir(dir);
  }
  return Unit{};
}

}  // namespace core::cgroup
