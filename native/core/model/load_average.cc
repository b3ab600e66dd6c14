// SPDX-License-Identifier: Apache-2.0
#include "core/model/load_average.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace core::model {
namespace {

// EXP_1, EXP_5, EXP_15: 1/exp(5 s / 1, 5, 15 min) in fixed point.
constexpr std::array<uint64_t, 3> kDecay{1884, 2014, 2037};

// No machine has as many tasks (PID_MAX_LIMIT is 2^22); keeps the products below 2^64.
constexpr uint64_t kMostTasks = uint64_t{1} << 40;
constexpr uint64_t kMostLoad = kMostTasks * kLoadFixedOne;

// kernel/sched/loadavg.c: calc_load(). Rounds up while the load rises.
uint64_t Step(uint64_t load, uint64_t decay, uint64_t active) {
  uint64_t sum = load * decay + active * (kLoadFixedOne - decay);
  if (active >= load) sum += kLoadFixedOne - 1;
  return sum / kLoadFixedOne;
}

}  // namespace

uint64_t LoadAverage::Hundredths(int index) const {
  const uint64_t rounded = fixed[static_cast<size_t>(index)] + kLoadFixedOne / 200;
  const uint64_t whole = rounded / kLoadFixedOne;
  return whole * 100 + rounded % kLoadFixedOne * 100 / kLoadFixedOne;
}

LoadAverage SeedLoadAverage(uint64_t cpu_usec, uint64_t age_usec) {
  LoadAverage load;
  if (age_usec == 0) return load;
  const uint64_t whole = std::min(cpu_usec / age_usec, kMostTasks);
  const uint64_t busy = whole * kLoadFixedOne + cpu_usec % age_usec * kLoadFixedOne / age_usec;
  load.fixed.fill(std::min(busy, kMostLoad));
  return load;
}

LoadAverage AdvanceLoadAverage(LoadAverage load, uint64_t active_tasks, uint64_t periods) {
  const uint64_t active = std::min(active_tasks, kMostTasks) * kLoadFixedOne;
  for (size_t index = 0; index < load.fixed.size(); ++index) {
    uint64_t& value = load.fixed[index];
    value = std::min(value, kMostLoad);
    // A step that changes nothing is followed by others that change nothing: any gap, however
    // long, ends after at most about 10 000 steps.
    for (uint64_t period = 0; period < periods; ++period) {
      const uint64_t next = Step(value, kDecay[index], active);
      if (next == value) break;
      value = next;
    }
  }
  return load;
}

}  // namespace core::model
