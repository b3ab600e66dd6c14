// SPDX-License-Identifier: Apache-2.0
#include "core/engine/task_counter.h"

#include <sys/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/descendants.h"
#include "core/cgroup/hierarchy.h"
#include "core/proc/pid.h"

namespace core::engine {
namespace {

// Of one list: numbers of 100,000 tasks.
constexpr size_t kListBytesMax = size_t{1} * 1024 * 1024;

struct Tids {
  std::vector<uint64_t> all;
  bool is_whole = true;
};

void AppendTids(std::string_view lines, Tids& tids) {
  if (lines.size() + sizeof "4194304\n" > kListBytesMax) tids.is_whole = false;
  while (!lines.empty()) {
    const auto tid = ParseU64(TakeLine(lines));
    if (tid && *tid != 0) tids.all.push_back(*tid);
  }
}

// The task ids of `dir` and everything below it.
Result<Tids> ReadTids(const cgroup::CgroupDir& dir,
                      const char* file,
                      const cgroup::WalkLimit& limit,
                      FileBuffer& buffer) {
  Tids tids;
  const auto of_leaf = dir.ReadOfLeaf(file, buffer, kListBytesMax);
  if (of_leaf && of_leaf->has_value()) {
    AppendTids(**of_leaf, tids);
    return tids;
  }
  const auto opened = dir.OpenDirectory();
  if (!opened) return opened.error();
  const auto walked = cgroup::ForEachDescendant(opened->get(), limit, [&](int fd) {
    const auto list = OpenAt(fd, file);
    const auto text = list ? ReadBeginning(list->get(), buffer, file, kListBytesMax)
                           : Result<std::string_view>(list.error());
    if (!text) return true;
    LogRead(fd, file, *text, buffer);
    AppendTids(*text, tids);
    return true;
  });
  if (!walked) return walked.error();
  tids.is_whole = tids.is_whole && *walked;
  return tids;
}

// A step by which all of `count` are visited once, such that those visited first lie everywhere
// among them.
size_t StrideOf(size_t count) {
  size_t stride = std::max<size_t>(1, count * 5 / 8);
  while (std::gcd(stride, count) != 1) ++stride;
  return stride;
}

void CountStates(const std::vector<uint64_t>& tids,
                 const proc::PidReader& pids,
                 const CountLimit& limit,
                 FileBuffer& buffer,
                 CountedTasks& counted) {
  const size_t wanted = std::min(tids.size(), limit.tasks_max);
  const size_t stride = wanted == tids.size() ? 1 : StrideOf(tids.size());
  size_t looked_at = 0;
  size_t index = 0;
  for (; looked_at < wanted && !limit.walk.budget.IsSpent(); ++looked_at) {
    const auto stat = pids.ReadStat(static_cast<pid_t>(tids[index]), buffer);
    index = (index + stride) % tids.size();
    if (!stat) continue;  // it ended in between
    ++counted.total;
    if (stat->state == 'R' || stat->state == 'D') ++counted.running;
    if (stat->state == 'D') ++counted.blocked;
  }
  if (looked_at == tids.size()) return;
  counted = ScaleTasks(counted, tids.size());
}

void FindNewest(const std::vector<uint64_t>& tids,
                const proc::PidReader& pids,
                const CountedTasks& before,
                FileBuffer& buffer,
                CountedTasks& counted) {
  std::vector<uint64_t> newest_first(tids);
  // Some of the last have ended since they were listed.
  constexpr size_t kTriedMax = 8;
  const size_t tried = std::min(kTriedMax, tids.size());
  std::ranges::partial_sort(
      newest_first, newest_first.begin() + static_cast<ptrdiff_t>(tried), std::greater<>());
  for (size_t index = 0; index < tried; ++index) {
    const auto pid = static_cast<pid_t>(newest_first[index]);
    const auto stat = pids.ReadStat(pid, buffer);
    if (!stat) continue;
    counted.newest_tid = newest_first[index];
    counted.newest_starttime = stat->starttime;
    break;
  }
  if (counted.newest_tid == before.newest_tid &&
      counted.newest_starttime == before.newest_starttime && buffer.Log() == nullptr) {
    counted.newest_numbers = before.newest_numbers;
  } else if (counted.newest_tid != 0) {
    auto numbers = pids.ReadNsPids(static_cast<pid_t>(counted.newest_tid), buffer);
    if (numbers) counted.newest_numbers = std::move(*numbers);
  }
}

// Rounded. A host has 2^22 tasks at most (PID_MAX_LIMIT), so that no product wraps.
uint64_t Scale(uint64_t part, uint64_t of, uint64_t total) {
  return of == 0 ? part : (part * total + of / 2) / of;
}

}  // namespace

CountedTasks ScaleTasks(const CountedTasks& before, uint64_t total) {
  CountedTasks scaled = before;
  scaled.running = std::min(total, Scale(before.running, before.total, total));
  scaled.blocked = std::min(scaled.running, Scale(before.blocked, before.total, total));
  scaled.total = total;
  scaled.is_estimate = true;
  return scaled;
}

Result<CountedTasks> CountTasks(const cgroup::Cgroup& cgroup,
                                const proc::PidReader& pids,
                                const CountedTasks& before,
                                const CountLimit& limit,
                                FileBuffer& buffer) {
  CountedTasks counted;
  if (cgroup.Primary() == nullptr) return counted;
  const bool is_v1 = cgroup.PrimaryVersion() == cgroup::Version::kV1;
  const char* const file = is_v1 ? "tasks" : "cgroup.threads";
  const auto tids = ReadTids(*cgroup.Primary(), file, limit.walk, buffer);
  if (!tids) return tids.error();
  CountStates(tids->all, pids, limit, buffer, counted);
  FindNewest(tids->all, pids, before, buffer, counted);
  const auto current = cgroup.ReadPidsCurrent(buffer);
  if (!current) return current.error();
  const std::optional<uint64_t>& total = *current;
  if (!tids->is_whole && total) return ScaleTasks(counted, *total);
  counted.total = total.value_or(counted.total);
  counted.is_estimate = counted.is_estimate || !tids->is_whole;
  return counted;
}

}  // namespace core::engine
