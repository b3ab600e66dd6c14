// SPDX-License-Identifier: Apache-2.0
// CPU time and CPU quota of a cgroup.
//
// Source: Documentation/admin-guide/cgroup-v2.rst "CPU Interface Files",
//         Documentation/admin-guide/cgroup-v1/cpuacct.rst, Documentation/scheduler/sched-bwc.rst.
// Units:  usec; v1's nanoseconds are divided by 1000, rounded down.
// Errors: EINVAL with the line for a known key or field that is not a number. Unknown keys are
//         skipped, missing keys stay 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace core::cgroup {

struct CpuUsageOfOne {
  uint32_t cpu = 0;
  uint64_t user_usec = 0;
  uint64_t system_usec = 0;
};

struct CpuUsage {
  uint64_t user_usec = 0;  // includes nice_usec, as the kernel's user_usec does
  uint64_t nice_usec = 0;
  uint64_t system_usec = 0;
  uint64_t throttled_usec = 0;
  std::vector<CpuUsageOfOne> per_cpu;  // v1's cpuacct.usage_all, in CPU order; empty on v2
};

// A quota per period; a cgroup without one has nullopt instead.
struct CpuQuota {
  uint64_t quota_usec = 0;
  uint64_t period_usec = 0;
};

// The one with the smaller quota / period; "no quota" is the largest.
inline std::optional<CpuQuota> SmallerQuota(const std::optional<CpuQuota>& a,
                                            const std::optional<CpuQuota>& b) {
  if (!a || !b) return a ? a : b;
  // Compared crosswise, in double: quotas go up to 2^64 / 1000 usec, and equal to 1 in 2^52 is
  // equal.
  const auto left = static_cast<double>(a->quota_usec) * static_cast<double>(b->period_usec);
  const auto right = static_cast<double>(b->quota_usec) * static_cast<double>(a->period_usec);
  return left <= right ? a : b;
}

// v2 cpu.stat: "user_usec 2000". Only the fields the text has are set.
Result<CpuUsage> ParseCpuStatV2(std::string_view text);

// v1 cpu.stat, "throttled_time 123" in ns: its throttled time in usec.
Result<uint64_t> ParseThrottledV1(std::string_view text);

// v1 cpuacct.usage_all: a header line "cpu user system", then "0 1234 567" in ns.
Result<std::vector<CpuUsageOfOne>> ParseUsageAll(std::string_view text);

// v2 cpu.max: "50000 100000" or "max 100000".
Result<std::optional<CpuQuota>> ParseCpuMax(std::string_view text);

// v1 cpu.cfs_quota_us ("-1" for none) and cpu.cfs_period_us.
Result<std::optional<CpuQuota>> ParseCfsQuota(std::string_view quota, std::string_view period);

}  // namespace core::cgroup
