// SPDX-License-Identifier: Apache-2.0
#include "core/engine/task_counter.h"

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/descendants.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/resolver.h"
#include "core/proc/pid.h"
#include "core/render/sheet.h"

namespace core::engine {
namespace {

void AppendTids(std::string_view lines, std::vector<uint64_t>& tids) {
  while (!lines.empty()) {
    const auto tid = ParseU64(TakeLine(lines));
    if (tid && *tid != 0) tids.push_back(*tid);
  }
}

// The task ids of `dir` and everything below it.
Result<std::vector<uint64_t>> ReadTids(const cgroup::CgroupDir& dir,
                                       const char* file,
                                       FileBuffer& buffer) {
  std::vector<uint64_t> tids;
  const auto of_leaf = dir.ReadOfLeaf(file, buffer);
  if (of_leaf && of_leaf->has_value()) {
    AppendTids(**of_leaf, tids);
    return tids;
  }
  const auto opened = dir.OpenDirectory();
  if (!opened) return opened.error();
  const auto walked = cgroup::ForEachDescendant(opened->get(), [&](int fd) {
    const auto text = ReadFileAt(fd, file, buffer);
    if (text) AppendTids(*text, tids);
    return true;
  });
  if (!walked) return walked.error();
  return tids;
}

}  // namespace

Result<CountedTasks> CountTasks(const cgroup::Cgroup& cgroup,
                                const InitProcess& init,
                                const proc::PidReader& pids,
                                const CountedTasks& before,
                                FileBuffer& buffer) {
  CountedTasks counted;
  render::TaskCounts& counts = counted.counts;
  if (cgroup.Primary() == nullptr) return counted;
  const bool is_v1 = cgroup.PrimaryVersion() == cgroup::Version::kV1;
  const auto tids = ReadTids(*cgroup.Primary(), is_v1 ? "tasks" : "cgroup.threads", buffer);
  if (!tids) return tids.error();
  for (const uint64_t tid : *tids) {
    const auto stat = pids.ReadStat(static_cast<pid_t>(tid), buffer);
    if (!stat) continue;  // it ended in between
    ++counts.total;
    if (stat->state == 'R' || stat->state == 'D') ++counts.running;
    if (stat->state == 'D') ++counts.blocked;
    if (tid < counted.newest_tid) continue;
    counted.newest_tid = tid;
    counted.newest_starttime = stat->starttime;
  }
  if (counted.newest_tid == before.newest_tid &&
      counted.newest_starttime == before.newest_starttime && buffer.Log() == nullptr) {
    counts.last_pid = before.counts.last_pid;
  } else if (counted.newest_tid != 0) {
    const auto ns_pids = pids.ReadNsPids(static_cast<pid_t>(counted.newest_tid), buffer);
    if (ns_pids && init.pid_level < ns_pids->size()) counts.last_pid = (*ns_pids)[init.pid_level];
  }
  const auto current = cgroup.ReadPidsCurrent(buffer);
  if (!current) return current.error();
  counts.total = current->value_or(counts.total);
  return counted;
}

}  // namespace core::engine
