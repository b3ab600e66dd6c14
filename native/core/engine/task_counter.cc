// SPDX-License-Identifier: Apache-2.0
#include "core/engine/task_counter.h"

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
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

// The task ids of `dir_fd` and everything below it.
Result<std::vector<uint64_t>> ReadTids(int dir_fd, const char* file, FileBuffer& buffer) {
  std::vector<uint64_t> tids;
  const auto walked = cgroup::ForEachDescendant(dir_fd, [&](int fd) {
    const auto text = ReadFileAt(fd, file, buffer);
    if (text) AppendTids(*text, tids);
    return true;
  });
  if (!walked) return walked.error();
  return tids;
}

}  // namespace

Result<render::TaskCounts> CountTasks(const cgroup::Cgroup& cgroup,
                                      const InitProcess& init,
                                      const proc::PidReader& pids,
                                      FileBuffer& buffer) {
  render::TaskCounts counts;
  if (cgroup.Primary() == nullptr) return counts;
  const bool is_v1 = cgroup.PrimaryVersion() == cgroup::Version::kV1;
  const auto dir = cgroup.Primary()->OpenDirectory();
  if (!dir) return dir.error();
  const auto tids = ReadTids(dir->get(), is_v1 ? "tasks" : "cgroup.threads", buffer);
  if (!tids) return tids.error();
  for (const uint64_t tid : *tids) {
    const auto stat = pids.ReadStat(static_cast<pid_t>(tid), buffer);
    if (!stat) continue;  // it ended in between
    ++counts.total;
    if (stat->state == 'R' || stat->state == 'D') ++counts.running;
    if (stat->state == 'D') ++counts.blocked;
  }
  const auto newest = std::ranges::max_element(*tids);
  if (newest != tids->end()) {
    const auto ns_pids = pids.ReadNsPids(static_cast<pid_t>(*newest), buffer);
    if (ns_pids && init.pid_level < ns_pids->size()) counts.last_pid = (*ns_pids)[init.pid_level];
  }
  const auto current = cgroup.ReadPidsCurrent(buffer);
  if (!current) return current.error();
  counts.total = current->value_or(counts.total);
  return counts;
}

}  // namespace core::engine
