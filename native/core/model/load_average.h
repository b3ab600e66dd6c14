// SPDX-License-Identifier: Apache-2.0
// Load averages from counted tasks, with the kernel's arithmetic.
//
// Source: kernel/sched/loadavg.c, calc_load(); include/linux/sched/loadavg.h.
// Units:  fixed point with 11 fractional bits; periods of 5 s of wall time.
// Errors: none.
#pragma once

#include <array>
#include <cstdint>

namespace core::model {

inline constexpr uint64_t kLoadPeriodUsec = 5'000'000;
inline constexpr uint64_t kLoadFixedOne = 1 << 11;

struct LoadAverage {
  std::array<uint64_t, 3> fixed{};  // over 1, 5 and 15 minutes

  // Hundredths of `fixed[index]`, rounded as the kernel rounds for /proc/loadavg.
  [[nodiscard]] uint64_t Hundredths(int index) const;
};

// The state of a container that nobody has sampled: all three are the average number of busy CPUs
// since it started, cpu_usec / age_usec (0 when the age is 0).
LoadAverage SeedLoadAverage(uint64_t cpu_usec, uint64_t age_usec);

// `periods` steps of 5 s with `active` running or blocked tasks; the steps are the kernel's,
// applied one after the other (calc_load_n's closed form for many).
LoadAverage AdvanceLoadAverage(LoadAverage load, uint64_t active_tasks, uint64_t periods);

}  // namespace core::model
