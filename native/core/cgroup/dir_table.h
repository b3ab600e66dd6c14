// SPDX-License-Identifier: Apache-2.0
// The cgroup directories that are open now, each once.
//
// Source: none.
// Units:  none.
// Errors: those of CgroupDir::Open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"

namespace core::cgroup {

class DirTable {
 public:
  // At most `max_held_fds` files are held open; more are opened for each read.
  explicit DirTable(int64_t max_held_fds) : budget_(max_held_fds) {}

  // The directory at `path` of `controller`'s hierarchy. One that has been removed since is opened
  // anew, as the cgroup of the same name that may have followed it.
  Result<std::shared_ptr<CgroupDir>> Open(const Hierarchy& hierarchy,
                                          Controller controller,
                                          std::string_view path);

  [[nodiscard]] int64_t HeldFds() const { return budget_.Held(); }

 private:
  void DropDead();

  FdBudget budget_;   // outlives every directory: directories give back to it
  std::mutex mutex_;  // guards dirs_ and sweep_at_; held for no file operation but opening
  std::unordered_map<std::string, std::weak_ptr<CgroupDir>> dirs_;
  size_t sweep_at_ = 256;
};

}  // namespace core::cgroup
