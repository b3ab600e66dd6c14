// SPDX-License-Identifier: Apache-2.0
// The cgroup that each thread is reading, in memory that outlives the process. After a crash or a
// hang the next worker learns from it which cgroup was being read.
//
// Source: signal(7): the signal of a failed instruction is handled by the thread that executed it.
// Units:  std::chrono::nanoseconds of the monotonic clock, which goes on when a process ends.
// Errors: none; a thread that finds no free slot is not recorded.
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
    std::atomic<uint64_t> owner;  // thread id; 0: the slot is free
    std::atomic<uint64_t> controller;
    std::atomic<uint64_t> inode;
    std::atomic<int64_t> since_nsec;
    std::atomic<uint64_t> has_failed;  // the thread received a fatal signal
  };
  std::array<Slot, kSlots> slots;

  // The cgroups to blame for the end of the process that filled the slots: a thread crashed while
  // it read them, or had been reading them for too long. All slots are free afterwards.
  std::vector<cgroup::CgroupId> TakeBlamed(Nanoseconds now);
};

// Records that the calling thread reads a cgroup, for as long as the object lives. It must be a
// local variable.
class Work {
 public:
  // Null memory and nullopt (the host's root) record nothing; the memory must outlive this.
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

// Installs handlers for the fatal signals: a thread that crashes marks its slots as failed, then
// the earlier handler runs. Another call installs them again after they were replaced.
void RecordFailures();

}  // namespace core::engine
