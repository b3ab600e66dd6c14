// SPDX-License-Identifier: Apache-2.0
// How much time a piece of work may take before the next cheaper answer is given.
//
// CPU time of the calling thread counts: on a busy machine a thread waits longer for its turn than
// the work takes, and that makes no answer worth less. The monotonic clock bounds the rest, work
// that the kernel keeps waiting.
//
// Source: clock_gettime(2).
// Units:  std::chrono::nanoseconds.
// Errors: none.
#pragma once

#include <chrono>

#include "core/base/clock.h"

namespace core {

// Of the thread that has made it.
class TimeBudget {
 public:
  explicit TimeBudget(Nanoseconds cpu_time, Nanoseconds longest = std::chrono::seconds(1))
      : cpu_until_(NowThreadCpu() + cpu_time), until_(NowMonotonic() + longest) {}
  [[nodiscard]] bool IsSpent() const {
    return NowThreadCpu() >= cpu_until_ || NowMonotonic() >= until_;
  }

 private:
  Nanoseconds cpu_until_;
  Nanoseconds until_;
};

}  // namespace core
