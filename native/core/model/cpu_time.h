// SPDX-License-Identifier: Apache-2.0
// CPU time as a container sees it, from samples of its cgroup's usage.
//
// Source: the project's contract for values, "CPU time".
// Units:  usec.
// Errors: none; a counter that would go back stands still instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/cgroup/cpu.h"
#include "core/model/visible_cpus.h"

namespace core::model {

// As the columns of /proc/stat: user_usec does not include nice_usec.
struct CpuTime {
  uint64_t user_usec = 0, nice_usec = 0, system_usec = 0, idle_usec = 0, steal_usec = 0;
};

struct CpuTimeOfOne {
  uint32_t cpu = 0;  // the host's number
  CpuTime time;
};

struct CpuTimes {
  CpuTime total;                   // all CPUs ever seen; at least the sum of `cpus`
  std::vector<CpuTimeOfOne> cpus;  // one per visible CPU, in CPU order
};

struct CpuSample {
  uint64_t boottime_usec = 0;  // when the sample was taken
  uint64_t age_usec = 0;       // of the container at that moment
  cgroup::CpuUsage usage;
};

// The memory of one view. Per CPU it behaves as CPU hotplug does: a CPU that becomes visible
// starts at 0, a hidden one keeps its past, and the total keeps everybody's.
class CpuAccumulator {
 public:
  // Takes a sample in. The first one covers the container's whole age; a sample that is not newer
  // than the last one, or shows less usage, moves nothing back.
  //
  // busy = usage since the last sample; steal = min(throttled time, n * dt - busy);
  // idle = n * dt - busy - steal; each at least 0. Per CPU: exact from per_cpu when V is the whole
  // set, otherwise an even split with the remainder on the low CPUs.
  //
  // The kernel books usage at scheduler ticks and throttled time when it ends, so two samples that
  // are close together see it too late. What did not fit into one interval is therefore settled in
  // the next ones, up to a tick or a period: between any two reads of a reader the formulas hold,
  // however often others made the view sample in between.
  void Advance(const CpuSample& sample, const VisibleCpus& visible);

  // What stands in /proc/stat for `visible`.
  [[nodiscard]] CpuTimes Read(const VisibleCpus& visible) const;

  // The whole memory as numbers, which another process of the same boot can go on from. One entry
  // per CPU up to the highest that was ever seen: `words` are at least WordsFor(CpuCount()).
  static constexpr size_t WordsFor(size_t cpus) { return kOwnWords + cpus * kWordsPerCpu; }
  [[nodiscard]] size_t CpuCount() const { return cpus_.size(); }
  void Save(std::span<uint64_t> words) const;
  void Restore(std::span<const uint64_t> words);

 private:
  static constexpr size_t kOwnWords = 11;
  static constexpr size_t kWordsPerCpu = 8;

  struct Entry {
    CpuTime time;
    uint64_t last_user_usec = 0, last_system_usec = 0;  // of usage.per_cpu
    uint64_t overdrawn_usec =
        0;  // busy time beyond the time there was, still to be taken from idle
  };

  template <typename Accumulator, typename Visit>
  static void ForEachNumber(Accumulator& self, Visit visit);
  void TakeUsageOfEach(const cgroup::CpuUsage& usage, bool is_exact, std::vector<CpuTime>& step);
  CpuTime TakeUsage(const cgroup::CpuUsage& usage);
  void FillWithIdle(uint64_t elapsed_usec, const VisibleCpus& visible, std::vector<CpuTime>& step);
  void TurnIdleToSteal(const VisibleCpus& visible, std::vector<CpuTime>& step);

  std::vector<Entry> cpus_;          // by host CPU number
  CpuTime total_;                    // the sum of cpus_
  uint64_t last_boottime_usec_ = 0;  // 0: no sample yet
  uint64_t last_user_usec_ = 0, last_nice_usec_ = 0, last_system_usec_ = 0,
           last_throttled_usec_ = 0;
  uint64_t unshown_throttled_usec_ = 0;
};

}  // namespace core::model
