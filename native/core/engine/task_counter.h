// SPDX-License-Identifier: Apache-2.0
// The tasks of a container root and all its descendants.
//
// Source: cgroup.threads (v2) or tasks (v1), and the state in /proc/<tid>/task/<tid>/stat.
//         taskstats' counts of a cgroup would be cheaper on v1, but leave out tasks in a killable
//         sleep, which are D.
// Units:  counts.
// Errors: ENOENT or ENODEV once the cgroup is removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/descendants.h"
#include "core/proc/pid.h"

namespace core::engine {

// What was counted, and the task with the highest number. Its start time tells it from others that
// get its number.
struct CountedTasks {
  uint64_t running = 0;  // R and D tasks
  uint64_t blocked = 0;  // the D tasks among them
  uint64_t total = 0;    // pids.current where there is one
  uint64_t newest_tid = 0;
  uint64_t newest_starttime = 0;
  std::vector<uint64_t> newest_numbers;  // outermost pid namespace first
  // Not all tasks were looked at: the states are those of the ones that were, in proportion.
  bool is_estimate = false;
};

// What a count may take.
struct CountLimit {
  size_t tasks_max = 0;  // so many are looked at, of all those that the cgroups' lists name
  cgroup::WalkLimit walk;
};

// A task keeps its numbers, so that those of the newest in `before` are not looked up again.
Result<CountedTasks> CountTasks(const cgroup::Cgroup& cgroup,
                                const proc::PidReader& pids,
                                const CountedTasks& before,
                                const CountLimit& limit,
                                FileBuffer& buffer);

// What `before` would be with `total` tasks.
CountedTasks ScaleTasks(const CountedTasks& before, uint64_t total);

}  // namespace core::engine
