// SPDX-License-Identifier: Apache-2.0
#include "core/engine/load_sampler.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/base/clock.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/time_budget.h"
#include "core/cgroup/cpu.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/init_finder.h"
#include "core/engine/moment.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/task_counter.h"
#include "core/engine/task_tally.h"
#include "core/engine/view.h"
#include "core/engine/work_record.h"
#include "core/model/load_average.h"
#include "core/render/sheet.h"

namespace core::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// What a reader counts itself: as many tasks as a JVM has, done in 4 ms, on an emulated CPU in 40.
constexpr size_t kQuickTasks = 256;
constexpr size_t kQuickCgroups = 16;
constexpr Nanoseconds kQuickFor = milliseconds(50);
// The list of so many tasks alone takes the kernel a millisecond (v1).
constexpr uint64_t kListedTasks = 4096;
// One view's part of each period; a task takes 10 to 20 us.
constexpr Nanoseconds kCountedFor = milliseconds(50);
constexpr size_t kTasksMax = size_t{1} << 22;
constexpr size_t kCgroupsMax = size_t{1} << 16;
// Counting tasks may take this share of the time at most.
constexpr int kTaskCountShare = 20;
constexpr Nanoseconds kMaxAge = milliseconds(500);
// An older count says nothing any more; sampled views have a new one every 5 s.
constexpr Nanoseconds kTooOld = seconds(15);
// Views that wait to be counted; the others wait for the next tick.
constexpr size_t kWantedMax = 1024;

CountLimit QuickLimit() {
  return {.tasks_max = kQuickTasks,
          .walk = {.cgroups_max = kQuickCgroups, .budget = TimeBudget(kQuickFor)}};
}

CountLimit PeriodLimit() {
  return {.tasks_max = kTasksMax,
          .walk = {.cgroups_max = kCgroupsMax, .budget = TimeBudget(kCountedFor)}};
}

uint64_t Usec(Nanoseconds time) {
  return static_cast<uint64_t>(
      std::max<int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(time).count()));
}

// `tasks` as the view's own processes have them.
render::TaskCounts CountsOf(const CountedTasks& tasks, const InitProcess& init) {
  render::TaskCounts counts{.running = tasks.running,
                            .blocked = tasks.blocked,
                            .total = tasks.total,
                            .last_pid = 0,
                            .is_estimate = tasks.is_estimate};
  if (init.pid_level < tasks.newest_numbers.size()) {
    counts.last_pid = tasks.newest_numbers[init.pid_level];
  }
  return counts;
}

}  // namespace

Status LoadSampler::Count(View& view, const CountLimit& limit, FileBuffer& buffer) {
  const Work work(view.quarantine->Works(), IdOf(view));
  TaskTally& tally = *view.tally;
  CountedTasks before;
  {
    const std::lock_guard lock(tally.mutex);
    before = tally.tasks;
  }
  const Nanoseconds begin = NowMonotonic();
  auto counted = CountTasks(view.cgroup, pids_, before, limit, buffer);
  if (!counted) return counted.error();
  const Nanoseconds took = NowMonotonic() - begin;
  tally.took.store(took, std::memory_order_relaxed);
  const std::lock_guard lock(tally.mutex);
  tally.tasks = std::move(*counted);
  tally.counted_at = begin;
  tally.max_age = std::max(kMaxAge, took * kTaskCountShare);
  return Unit{};
}

void LoadSampler::Want(View& view) {
  if (view.tally->is_wanted.exchange(true)) return;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_.size() >= kWantedMax) {
      view.tally->is_wanted.store(false);
      return;
    }
    wanted_.push_back(view.weak_from_this());
  }
  wake_();
}

bool LoadSampler::CountWanted(FileBuffer& buffer) {
  std::shared_ptr<View> view;
  {
    const std::lock_guard lock(mutex_);
    if (wanted_.empty()) return false;
    view = wanted_.front().lock();
    wanted_.pop_front();
  }
  if (view == nullptr) return true;
  (void)Count(*view, PeriodLimit(), buffer);
  view->tally->is_wanted.store(false);
  return true;
}

// True when there are so many tasks that not even their list is read.
Result<bool> LoadSampler::KnowWithoutCounting(View& view, FileBuffer& buffer) {
  const auto current = view.cgroup.ReadPidsCurrent(buffer);
  if (!current) return current.error();
  const std::optional<uint64_t>& total = *current;
  if (!total || *total <= kListedTasks) return false;
  const std::lock_guard lock(view.tally->mutex);
  // The reader runs, and of the others nobody knows.
  view.tally->tasks = {.running = 1,
                       .blocked = 0,
                       .total = *total,
                       .newest_tid = 0,
                       .newest_starttime = 0,
                       .newest_numbers = {},
                       .is_estimate = true};
  view.tally->counted_at = NowMonotonic();
  view.tally->max_age = kMaxAge;
  return true;
}

Status LoadSampler::CountForReader(View& view, bool is_known, FileBuffer& buffer) {
  if (wake_ == nullptr || buffer.Log() != nullptr) return Count(view, PeriodLimit(), buffer);
  if (!is_known) {
    const auto is_done = KnowWithoutCounting(view, buffer);
    if (!is_done) return is_done.error();
    if (!*is_done) {
      auto status = Count(view, QuickLimit(), buffer);
      if (!status) return status;
    }
    const std::lock_guard lock(view.tally->mutex);
    if (!view.tally->tasks.is_estimate) return Unit{};
  }
  Want(view);
  return Unit{};
}

Result<render::TaskCounts> LoadSampler::ReadTasks(View& view, Moment now, FileBuffer& buffer) {
  TaskTally& tally = *view.tally;
  bool is_fresh = false;
  bool is_known = false;
  {
    const std::lock_guard lock(tally.mutex);
    const Nanoseconds age = now.monotonic - tally.counted_at;
    const bool has_count = tally.counted_at != Nanoseconds{};
    // Who asks what a number is made of gets it made.
    is_fresh = has_count && age < tally.max_age && buffer.Log() == nullptr;
    is_known = has_count && age < kTooOld && tally.tasks.total > kQuickTasks;
  }
  if (!is_fresh) {
    const Status counted = CountForReader(view, is_known, buffer);
    if (!counted) return counted.error();
  }
  const std::lock_guard lock(tally.mutex);
  return CountsOf(tally.tasks, view.init);
}

Result<model::LoadAverage> LoadSampler::ReadLoad(View& view, Moment now, FileBuffer& buffer) {
  {
    const std::lock_guard lock(view.mutex);
    if (view.counted.load) return *view.counted.load;
  }
  const Status seeded = SeedLoad(view, now, buffer);
  if (!seeded) return seeded.error();
  const std::lock_guard lock(view.mutex);
  return view.counted.load.value_or(model::LoadAverage{});
}

Status LoadSampler::SeedLoad(View& view, Moment now, FileBuffer& buffer) {
  const auto usage = view.cgroup.ReadCpuUsage(buffer);
  if (!usage) return usage.error();
  const std::optional<cgroup::CpuUsage>& found = *usage;
  const uint64_t busy_usec = found ? found->user_usec + found->system_usec : 0;
  const uint64_t cpus = count_cpus_ == nullptr ? 0 : count_cpus_(view, now, buffer);
  const uint64_t age_usec = AgeUsec(view, now);
  // An older cgroup has had other first processes before.
  const uint64_t most_usec = cpus == 0 ? busy_usec : cpus * age_usec;
  const std::lock_guard lock(view.mutex);
  view.counted.load = model::SeedLoadAverage(std::min(busy_usec, most_usec), age_usec);
  view.counted.load_at = now.monotonic;
  view.SaveCounted();
  return Unit{};
}

Status LoadSampler::SampleLoad(View& view, Moment now, Nanoseconds until, FileBuffer& buffer) {
  Nanoseconds load_at{};
  bool is_seeded = false;
  {
    const std::lock_guard lock(view.mutex);
    is_seeded = view.counted.load.has_value();
    load_at = view.counted.load_at;
  }
  if (!is_seeded) return SeedLoad(view, now, buffer);
  const uint64_t periods = Usec(now.monotonic - load_at) / model::kLoadPeriodUsec;
  if (periods == 0) return Unit{};
  TaskTally& tally = *view.tally;
  bool is_fresh = false;
  {
    // Another view of the cgroup may have been here in this tick.
    const std::lock_guard lock(tally.mutex);
    is_fresh = tally.counted_at != Nanoseconds{} && now.monotonic - tally.counted_at < kMaxAge;
  }
  if (!is_fresh && NowMonotonic() < until) {
    auto status = Count(view, PeriodLimit(), buffer);
    if (!status) return status;
  } else if (!is_fresh) {
    const auto current = view.cgroup.ReadPidsCurrent(buffer);
    if (!current) return current.error();
    const std::lock_guard lock(tally.mutex);
    tally.tasks = ScaleTasks(tally.tasks, current->value_or(tally.tasks.total));
  }
  uint64_t running = 0;
  {
    const std::lock_guard lock(tally.mutex);
    running = tally.tasks.running;
  }
  const std::lock_guard lock(view.mutex);
  view.counted.load =
      model::AdvanceLoadAverage(view.counted.load.value_or(model::LoadAverage{}), running, periods);
  view.counted.load_at = load_at + std::chrono::microseconds(periods * model::kLoadPeriodUsec);
  view.SaveCounted();
  return Unit{};
}

}  // namespace core::engine
