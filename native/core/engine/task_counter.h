// SPDX-License-Identifier: Apache-2.0
// The tasks of a container root and all its descendants.
//
// Source: cgroup.threads (v2) or tasks (v1), and the state in /proc/<tid>/stat. taskstats' counts
// of
//         a cgroup would be cheaper on v1, but leave out tasks in a killable sleep, which are D.
// Units:  counts.
// Errors: ENOENT or ENODEV once the cgroup is removed.
#pragma once

#include <cstdint>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup.h"
#include "core/engine/resolver.h"
#include "core/proc/pid.h"
#include "core/render/sheet.h"

namespace core::engine {

// What was counted, and the task whose number `counts.last_pid` is. Its start time tells it from
// others that get its id.
struct CountedTasks {
  render::TaskCounts counts;
  uint64_t newest_tid = 0;
  uint64_t newest_starttime = 0;
};

// total is pids.current where there is one; last_pid is the newest task's number in the pid
// namespace of `init`. A task keeps its numbers, so that those in `before` are not looked up again.
Result<CountedTasks> CountTasks(const cgroup::Cgroup& cgroup,
                                const InitProcess& init,
                                const proc::PidReader& pids,
                                const CountedTasks& before,
                                FileBuffer& buffer);

}  // namespace core::engine
