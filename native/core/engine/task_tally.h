// SPDX-License-Identifier: Apache-2.0
// The last count of a cgroup's tasks, which all of its views share: a container may have as many
// views as it makes pid namespaces.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: none.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/erase_if.h"
#include "core/cgroup/controller.h"
#include "core/engine/task_counter.h"

namespace core::engine {

struct TaskTally {
  std::mutex mutex;  // guards the three below; held for no file operation
  CountedTasks tasks;
  Nanoseconds counted_at{};  // 0: never
  Nanoseconds max_age{};     // longer for tasks that take long to count

  std::atomic<Nanoseconds> took{};     // the last count
  std::atomic<bool> is_wanted{false};  // somebody is going to count
};
using TaskTallyRef = std::shared_ptr<TaskTally>;

class TaskTallies {
 public:
  // Of the cgroup `inode` in the hierarchy of `controller`.
  TaskTallyRef Of(cgroup::Controller controller, uint64_t inode) {
    const std::lock_guard lock(mutex_);
    const uint64_t key = inode * cgroup::kControllerCount + static_cast<size_t>(controller);
    std::weak_ptr<TaskTally>& place = known_[key];
    TaskTallyRef tally = place.lock();
    if (tally != nullptr) return tally;
    tally = std::make_shared<TaskTally>();
    place = tally;
    if (known_.size() < sweep_at_) return tally;
    EraseIf(known_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kSweepAtLeast, known_.size() * 2);
    return tally;
  }

 private:
  static constexpr size_t kSweepAtLeast = 256;

  std::mutex mutex_;  // guards all below
  std::unordered_map<uint64_t, std::weak_ptr<TaskTally>> known_;
  size_t sweep_at_ = kSweepAtLeast;
};

}  // namespace core::engine
