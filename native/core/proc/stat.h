// SPDX-License-Identifier: Apache-2.0
// The host's /proc/stat, without its per-CPU lines.
//
// Source: fs/proc/stat.c, show_stat().
// Units:  CPU time in USER_HZ; btime in seconds since 1970; the rest are counts.
// Errors: EINVAL with the line for a known key without a number; unknown keys are skipped,
//         missing keys stay 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace core::proc {

struct Stat {
  uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0;
  uint64_t irq = 0, softirq_time = 0, steal = 0, guest = 0, guest_nice = 0;
  uint64_t intr = 0;  // the total in front of the per-interrupt numbers
  uint64_t ctxt = 0;
  uint64_t btime = 0;
  uint64_t processes = 0;
  uint64_t procs_running = 0;
  uint64_t procs_blocked = 0;
  uint64_t softirq = 0;  // the total in front of the numbers of each kind
  // Of each kind, as many as the kernel has: NR_SOFTIRQS is 10.
  [[nodiscard]] std::span<const uint64_t> Softirqs() const {
    return std::span(softirqs).first(softirq_kinds);
  }
  static constexpr size_t kSoftirqsMax = 16;
  std::array<uint64_t, kSoftirqsMax> softirqs{};
  size_t softirq_kinds = 0;
};

// "cpu  3557 0 2032 30689 299 0 46 108 0 0", "intr 137278 0 ...", "ctxt 308744"
Result<Stat> ParseStat(std::string_view text);

// A text of /proc/stat as a time namespace shows it whose boot is `offset_sec` earlier.
std::string ShiftBoot(std::string_view text, int64_t offset_sec);

}  // namespace core::proc
