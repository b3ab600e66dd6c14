// SPDX-License-Identifier: Apache-2.0
// Which CPUs a container sees: the one answer for cpuinfo, stat, /sys, loadavg and uptime.
//
// Source: the project's contract for values, "Visible CPUs".
// Units:  CPU numbers; quotas in usec per usec.
// Errors: none.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/cpu_set.h"
#include "core/cgroup/cpu.h"

namespace core::model {

enum class CpuCount : uint8_t { kQuota, kCpuset };
enum class CpuNumbering : uint8_t { kPhysical, kVirtual };

struct CpuPolicy {
  CpuCount count = CpuCount::kQuota;
  CpuNumbering numbering = CpuNumbering::kPhysical;
};

struct VisibleCpus {
  CpuSet physical;         // V, under the host's numbers; never empty
  uint32_t count = 0;      // |V|
  bool whole_set = false;  // V is the whole effective cpuset: no quota hides a CPU of it
  CpuNumbering numbering = CpuNumbering::kPhysical;

  // The number under which the container sees the host's `cpu` (a member of V).
  [[nodiscard]] uint32_t ShownNumber(uint32_t cpu) const;
  // V under the numbers the container sees: V itself, or 0 to count - 1.
  [[nodiscard]] CpuSet Shown() const;
  // The members of `cpus` that are visible, under the numbers the container sees.
  [[nodiscard]] CpuSet ShownOf(const CpuSet& cpus) const;
};

// n = clamp(ceil(quota / period), 1, |cpuset and online|); V = the n lowest. An intersection that
// is empty (a cpuset of offline CPUs, for a moment) counts as all online CPUs.
VisibleCpus DeriveVisibleCpus(const CpuSet& effective_cpuset,
                              const CpuSet& online,
                              const std::optional<cgroup::CpuQuota>& smallest_quota,
                              CpuPolicy policy);

}  // namespace core::model
