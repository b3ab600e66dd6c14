// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/dir_table.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/erase_if.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"

namespace core::cgroup {

Result<std::shared_ptr<CgroupDir>> DirTable::Open(const Hierarchy& hierarchy,
                                                  Controller controller,
                                                  std::string_view path) {
  std::string key(1, static_cast<char>('0' + hierarchy.HierarchyId(controller)));
  key.append(path);
  const std::lock_guard lock(mutex_);
  if (const auto found = dirs_.find(key); found != dirs_.end()) {
    auto dir = found->second.lock();
    if (dir && dir->IsAlive()) return dir;
  }
  auto opened = CgroupDir::Open(hierarchy.RootFd(controller), path, budget_);
  if (!opened) return opened;
  if (dirs_.size() >= sweep_at_) DropDead();
  dirs_[std::move(key)] = *opened;
  return opened;
}

void DirTable::DropDead() {
  EraseIf(dirs_, [](const auto& entry) { return entry.second.expired(); });
  sweep_at_ = std::max<size_t>(256, dirs_.size() * 2);
}

}  // namespace core::cgroup
