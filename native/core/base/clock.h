// SPDX-License-Identifier: Apache-2.0
// The clocks of the project.
//
// Source: clock_gettime(2).
// Units:  std::chrono::nanoseconds since boot; since 1970 for the wall clock.
// Errors: none; the clocks exist on every supported kernel.
#pragma once

#include <time.h>

#include <chrono>

namespace core {

using Nanoseconds = std::chrono::nanoseconds;

inline Nanoseconds ReadClock(clockid_t id) {
  timespec now{};
  (void)clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + Nanoseconds(now.tv_nsec);
}

// Counts suspend: container ages and CPU time.
inline Nanoseconds NowBoottime() {
  return ReadClock(CLOCK_BOOTTIME);
}

// Does not count suspend and never steps: cache ages and deadlines.
inline Nanoseconds NowMonotonic() {
  return ReadClock(CLOCK_MONOTONIC);
}

// CPU time of the calling thread: how much work it has done.
inline Nanoseconds NowThreadCpu() {
  return ReadClock(CLOCK_THREAD_CPUTIME_ID);
}

// The wall clock, which steps: file times only.
inline Nanoseconds NowRealtime() {
  return ReadClock(CLOCK_REALTIME);
}

}  // namespace core
