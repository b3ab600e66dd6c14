// SPDX-License-Identifier: Apache-2.0
// Tells a task that waits for a CPU from one that does not get on for another reason.
//
// A task that is runnable, that runs, or that was kept waiting in a run queue since the last look
// is starved at most. One whose figures stand still sleeps, is stopped, or is held by the kernel.
//
// Source: proc(5), /proc/<pid>/task/<tid>/stat (the state) and schedstat (time on a CPU, time
//         spent waiting on a run queue).
// Units:  nanoseconds.
// Errors: none; of a task that has ended nothing is seen. Without schedstat the state decides.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/base/clock.h"

namespace core {

class TaskWatch {
 public:
  // A look at tasks, by directories such as "/proc/7/task/9": whether one of them has wanted a CPU
  // since the look before. At the first look the state alone decides.
  bool HasWantedCpu(std::span<const std::string> tasks);

  // Time on a CPU since the first look.
  [[nodiscard]] Nanoseconds RunTime() const { return Nanoseconds(now_.run_nsec - first_run_nsec_); }

  // The next look is the first one.
  void Reset() { *this = TaskWatch(); }
  [[nodiscard]] bool HasLooked() const { return has_looked_; }

 private:
  struct Use {
    int64_t run_nsec = 0;
    int64_t wait_nsec = 0;
    bool operator==(const Use&) const = default;
  };

  Use now_;
  int64_t first_run_nsec_ = 0;
  bool has_looked_ = false;
};

}  // namespace core
