// SPDX-License-Identifier: Apache-2.0
// Which cgroup each thread is looking into, in memory that outlives the process: a successor asks
// it what its predecessor was at when it ended.
//
// Source: signal(7): a thread whose instruction fails handles the signal itself, so that it knows
//         what it was at.
// Units:  std::chrono::nanoseconds of the monotonic clock, which goes on when a process ends.
// Errors: none; who finds no free slot is not recorded.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/cgroup/cgroup_id.h"

namespace core::engine {

// All of it is valid when it is zero.
struct WorkMemory {
  static constexpr size_t kSlots = 256;
  struct Slot {
    std::atomic<uint64_t> owner;  // a task's id; 0: nobody's
    std::atomic<uint64_t> controller;
    std::atomic<uint64_t> inode;
    std::atomic<int64_t> since_nsec;
    std::atomic<uint64_t> has_failed;  // the task has got a signal that ends the process
  };
  std::array<Slot, kSlots> slots;

  // The cgroups that a process which has ended is to have ended of: those that a task failed at,
  // and those it did not come back from. Forgets all that was underway.
  std::vector<cgroup::CgroupId> TakeBlamed(Nanoseconds now);
};

// From its making to its end the calling thread is at this cgroup. To live on the stack.
class Work {
 public:
  // Nothing is recorded without memory, which must outlive this, or for the host's root.
  Work(WorkMemory* memory, std::optional<cgroup::CgroupId> id);
  ~Work();
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

 private:
  static void OnFailure();
  friend void RecordFailures();

  WorkMemory::Slot* slot_ = nullptr;
  uint64_t owner_ = 0;
  Work* outer_ = nullptr;
};

// From now on a thread that fails says so in its slots. Whoever handled these signals before is
// asked next. May be called again when somebody else has taken the signals meanwhile.
void RecordFailures();

}  // namespace core::engine
