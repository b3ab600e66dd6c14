// SPDX-License-Identifier: Apache-2.0
// How many tasks a view has and what its load averages are.
//
// A container decides how many tasks and cgroups it has, so a reader counts few of them at most.
// Who has more is counted by another thread (CountWanted(), SampleLoad()), within a limit of time,
// and its readers get the last count; at first, or when that is too old, an estimate.
//
// Source: task_counter.h.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: those of reading the cgroup.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "core/base/clock.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/engine/moment.h"
#include "core/engine/options.h"
#include "core/engine/task_counter.h"
#include "core/engine/view.h"
#include "core/proc/pid.h"
#include "core/render/sheet.h"

namespace core::engine {

class LoadSampler {
 public:
  explicit LoadSampler(const proc::PidReader& pids) : pids_(pids) {}

  // Readers call `wake()` to have another thread call CountWanted(). Without it a reader counts all
  // tasks itself. To be set before there are readers.
  void SetWake(std::function<void()> wake) { wake_ = std::move(wake); }
  // Counts the tasks of one view whose readers want it; false when there is none.
  bool CountWanted(FileBuffer& buffer);

  // `count` says how many CPUs a view has, 0 where that is not known: no more were busy than those.
  // To be set before there are readers.
  using CountCpus = std::function<uint64_t(View&, Moment, FileBuffer&)>;
  void SetCountCpus(CountCpus count) { count_cpus_ = std::move(count); }

  // For a reader.
  Result<render::TaskCounts> ReadTasks(View& view, Moment now, FileBuffer& buffer);
  Result<model::LoadAverage> ReadLoad(View& view, Moment now, FileBuffer& buffer);

  // One tick for `view`; after `until` its tasks are not counted but estimated.
  Status SampleLoad(View& view, Moment now, Nanoseconds until, FileBuffer& buffer);

 private:
  Status SeedLoad(View& view, Moment now, FileBuffer& buffer);
  Status Count(View& view, const CountLimit& limit, FileBuffer& buffer);
  Status CountForReader(View& view, bool is_known, FileBuffer& buffer);
  Result<bool> KnowWithoutCounting(View& view, FileBuffer& buffer);
  void Want(View& view);

  const proc::PidReader& pids_;
  std::function<void()> wake_;
  CountCpus count_cpus_;
  std::mutex mutex_;  // guards wanted_
  std::deque<std::weak_ptr<View>> wanted_;
};

}  // namespace core::engine
