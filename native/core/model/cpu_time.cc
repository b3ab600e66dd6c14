// SPDX-License-Identifier: Apache-2.0
#include "core/model/cpu_time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/units.h"
#include "core/cgroup/cpu.h"
#include "core/model/visible_cpus.h"

namespace core::model {
namespace {

// Two ticks of a kernel with CONFIG_HZ=100.
constexpr uint64_t kMostOverdrawnUsec = 20'000;
// The default period of a quota: throttled time is booked when it ends, at most so much later.
constexpr uint64_t kMostUnshownUsecPerCpu = 100'000;

// How far a counter moved since `last`, which follows it. A counter that shows less than before
// moves nothing until it is beyond its old value: counting it anew could count time twice.
uint64_t Follow(uint64_t now, uint64_t& last) {
  const uint64_t moved = SaturatingSub(now, last);
  last += moved;
  return moved;
}

uint64_t BusyOf(const CpuTime& time) {
  return SaturatingAdd(SaturatingAdd(time.user_usec, time.nice_usec), time.system_usec);
}

void Add(const CpuTime& more, CpuTime& sum) {
  sum.user_usec += more.user_usec;
  sum.nice_usec += more.nice_usec;
  sum.system_usec += more.system_usec;
  sum.idle_usec += more.idle_usec;
  sum.steal_usec += more.steal_usec;
}

// Calls `visit` with each member of V in ascending order.
template <typename Visit>
void ForEach(const VisibleCpus& visible, Visit visit) {
  const CpuSet& set = visible.physical;
  for (uint32_t cpu = set.Next(0); cpu < CpuSet::kMaxCpus; cpu = set.Next(cpu + 1)) visit(cpu);
}

// An even split of `usec`, the remainder on the low CPUs.
void Spread(uint64_t usec,
            uint64_t CpuTime::* column,
            const VisibleCpus& visible,
            std::vector<CpuTime>& step) {
  uint64_t cpus_left = visible.count;
  ForEach(visible, [&](uint32_t cpu) {
    const uint64_t share = CeilDiv(usec, cpus_left--);
    step[cpu].*column += share;
    usec -= share;
  });
}

// Turns up to `usec` of the CPU's idle time of this step into steal; returns how much.
uint64_t Steal(uint64_t usec, CpuTime& time) {
  const uint64_t taken = std::min(usec, time.idle_usec);
  time.idle_usec -= taken;
  time.steal_usec += taken;
  return taken;
}

// Makes less of all busy time in proportion, where it is more than `most_usec`; returns it.
uint64_t LimitBusy(uint64_t most_usec, CpuTime& time) {
  const uint64_t busy_usec = BusyOf(time);
  if (busy_usec <= most_usec) return busy_usec;
  const double share = static_cast<double>(most_usec) / static_cast<double>(busy_usec);
  const auto part = [share](uint64_t usec) {
    return static_cast<uint64_t>(static_cast<double>(usec) * share);
  };
  time.user_usec = std::min(most_usec, part(time.user_usec));
  time.nice_usec = std::min(most_usec - time.user_usec, part(time.nice_usec));
  time.system_usec = most_usec - time.user_usec - time.nice_usec;
  return most_usec;
}

// An older cgroup has had other first processes before: what is more than each CPU's age times the
// CPUs is theirs. CPUs that are not visible any more share what the others leave.
void LimitToAge(uint64_t age_usec, const VisibleCpus& visible, std::vector<CpuTime>& step) {
  uint64_t left_usec = 0;
  ForEach(visible, [&](uint32_t cpu) { left_usec += age_usec - LimitBusy(age_usec, step[cpu]); });
  for (uint32_t cpu = 0; cpu < step.size(); ++cpu) {
    if (!visible.physical.Contains(cpu)) left_usec -= LimitBusy(left_usec, step[cpu]);
  }
}

size_t EntriesFor(const CpuSample& sample, const VisibleCpus& visible) {
  size_t count = 0;
  ForEach(visible, [&](uint32_t cpu) { count = cpu + size_t{1}; });
  for (const cgroup::CpuUsageOfOne& one : sample.usage.per_cpu) {
    if (one.cpu < CpuSet::kMaxCpus) count = std::max(count, one.cpu + size_t{1});
  }
  return count;
}

}  // namespace

// Follows every CPU's counters, also while they are not used, and takes them when `is_exact`. A CPU
// that is not visible (any more) keeps what it has done.
void CpuAccumulator::TakeUsageOfEach(const cgroup::CpuUsage& usage,
                                     bool is_exact,
                                     std::vector<CpuTime>& step) {
  for (const cgroup::CpuUsageOfOne& one : usage.per_cpu) {
    if (one.cpu >= cpus_.size()) continue;
    Entry& entry = cpus_[one.cpu];
    const uint64_t user_usec = Follow(one.user_usec, entry.last_user_usec);
    const uint64_t system_usec = Follow(one.system_usec, entry.last_system_usec);
    if (!is_exact) continue;
    step[one.cpu].user_usec += user_usec;
    step[one.cpu].system_usec += system_usec;
  }
}

// user = user without nice. The kernel scales user_usec but not nice_usec; nice time beyond the
// user time of this step waits for a later one.
CpuTime CpuAccumulator::TakeUsage(const cgroup::CpuUsage& usage) {
  CpuTime time;
  const uint64_t user_usec = Follow(usage.user_usec, last_user_usec_);
  time.nice_usec = std::min(SaturatingSub(usage.nice_usec, last_nice_usec_), user_usec);
  last_nice_usec_ += time.nice_usec;
  time.user_usec = user_usec - time.nice_usec;
  time.system_usec = Follow(usage.system_usec, last_system_usec_);
  return time;
}

void CpuAccumulator::FillWithIdle(uint64_t elapsed_usec,
                                  const VisibleCpus& visible,
                                  std::vector<CpuTime>& step) {
  ForEach(visible, [&](uint32_t cpu) {
    uint64_t& overdrawn_usec = cpus_[cpu].overdrawn_usec;
    const uint64_t taken_usec = SaturatingAdd(BusyOf(step[cpu]), overdrawn_usec);
    step[cpu].idle_usec = SaturatingSub(elapsed_usec, taken_usec);
    overdrawn_usec = std::min(SaturatingSub(taken_usec, elapsed_usec), kMostOverdrawnUsec);
  });
}

// An even split as far as each CPU's idle time goes, then the rest where there is some left.
void CpuAccumulator::TurnIdleToSteal(const VisibleCpus& visible, std::vector<CpuTime>& step) {
  uint64_t left_usec = unshown_throttled_usec_;
  uint64_t cpus_left = visible.count;
  ForEach(visible,
          [&](uint32_t cpu) { left_usec -= Steal(CeilDiv(left_usec, cpus_left--), step[cpu]); });
  ForEach(visible, [&](uint32_t cpu) { left_usec -= Steal(left_usec, step[cpu]); });
  unshown_throttled_usec_ = std::min(left_usec, visible.count * kMostUnshownUsecPerCpu);
}

void CpuAccumulator::Advance(const CpuSample& sample, const VisibleCpus& visible) {
  const bool is_first = last_boottime_usec_ == 0;
  if (!is_first && sample.boottime_usec <= last_boottime_usec_) return;
  const uint64_t elapsed_usec =
      is_first ? sample.age_usec : sample.boottime_usec - last_boottime_usec_;
  last_boottime_usec_ = sample.boottime_usec;

  cpus_.resize(std::max(cpus_.size(), EntriesFor(sample, visible)));
  std::vector<CpuTime> step(cpus_.size());  // by host CPU number
  const bool is_exact = visible.whole_set && !sample.usage.per_cpu.empty();
  TakeUsageOfEach(sample.usage, is_exact, step);
  const CpuTime busy = TakeUsage(sample.usage);
  if (!is_exact) {
    Spread(busy.user_usec, &CpuTime::user_usec, visible, step);
    Spread(busy.nice_usec, &CpuTime::nice_usec, visible, step);
    Spread(busy.system_usec, &CpuTime::system_usec, visible, step);
  }
  if (is_first) LimitToAge(elapsed_usec, visible, step);
  FillWithIdle(elapsed_usec, visible, step);
  unshown_throttled_usec_ = SaturatingAdd(
      unshown_throttled_usec_, Follow(sample.usage.throttled_usec, last_throttled_usec_));
  TurnIdleToSteal(visible, step);

  for (size_t cpu = 0; cpu < step.size(); ++cpu) {
    Add(step[cpu], cpus_[cpu].time);
    Add(step[cpu], total_);
  }
}

// Each once, in an order of its own: first the accumulator's, then those of each CPU.
template <typename Accumulator, typename Visit>
void CpuAccumulator::ForEachNumber(Accumulator& self, Visit visit) {
  const auto visit_time = [&visit](auto& time) {
    visit(time.user_usec);
    visit(time.nice_usec);
    visit(time.system_usec);
    visit(time.idle_usec);
    visit(time.steal_usec);
  };
  visit_time(self.total_);
  visit(self.last_boottime_usec_);
  visit(self.last_user_usec_);
  visit(self.last_nice_usec_);
  visit(self.last_system_usec_);
  visit(self.last_throttled_usec_);
  visit(self.unshown_throttled_usec_);
  for (auto& entry : self.cpus_) {
    visit_time(entry.time);
    visit(entry.last_user_usec);
    visit(entry.last_system_usec);
    visit(entry.overdrawn_usec);
  }
}

void CpuAccumulator::Save(std::span<uint64_t> words) const {
  size_t index = 0;
  ForEachNumber(*this, [&](uint64_t number) { words[index++] = number; });
}

void CpuAccumulator::Restore(std::span<const uint64_t> words) {
  cpus_.resize((words.size() - kOwnWords) / kWordsPerCpu);
  size_t index = 0;
  ForEachNumber(*this, [&](uint64_t& number) { number = words[index++]; });
}

CpuTimes CpuAccumulator::Read(const VisibleCpus& visible) const {
  CpuTimes times;
  times.total = total_;
  times.cpus.reserve(visible.count);
  ForEach(visible, [&](uint32_t cpu) {
    const CpuTime time = cpu < cpus_.size() ? cpus_[cpu].time : CpuTime();
    times.cpus.push_back({.cpu = cpu, .time = time});
  });
  return times;
}

}  // namespace core::model
