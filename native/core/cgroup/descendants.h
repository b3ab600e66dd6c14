// SPDX-License-Identifier: Apache-2.0
// Walks over a cgroup and everything below it.
//
// Source: cgroupfs: every directory is a cgroup.
// Units:  none.
// Errors: errno of opening the cgroup itself; a descendant that is removed in between is left out.
#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace core::cgroup {

// Calls `visit(fd)` with a descriptor of `dir_fd`, then of each cgroup below it, until it returns
// false. Without recursion, and with one descriptor at a time: cgroups nest as deep and as wide as
// their owner likes.
template <typename Visit>
Status ForEachDescendant(int dir_fd, Visit visit) {
  std::vector<std::string> pending = {"."};
  while (!pending.empty()) {
    const std::string path = std::move(pending.back());
    pending.pop_back();
    const int fd = openat(dir_fd, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const dir = fd < 0 ? nullptr : fdopendir(fd);
    if (dir == nullptr) {
      if (path == ".") return SystemError("open", "cgroup");
      continue;
    }
    const bool goes_on = visit(fd);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
    while (const dirent* entry = goes_on ? readdir(dir) : nullptr) {
      const std::string_view name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") {
        pending.push_back((path + "/").append(name));
      }
    }
    closedir(dir);
    if (!goes_on) break;
  }
  return Unit{};
}

}  // namespace core::cgroup
