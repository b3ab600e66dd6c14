// SPDX-License-Identifier: Apache-2.0
#include "core/model/visible_cpus.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/base/cpu_set.h"
#include "core/base/units.h"
#include "core/cgroup/cpu.h"

namespace core::model {
namespace {

uint64_t CpusOf(const std::optional<cgroup::CpuQuota>& quota, uint64_t most) {
  if (!quota || quota->period_usec == 0) return most;
  return std::clamp(CeilDiv(quota->quota_usec, quota->period_usec), uint64_t{1}, most);
}

CpuSet NonEmptySet(const CpuSet& effective_cpuset, const CpuSet& online) {
  CpuSet set = effective_cpuset.Intersect(online);
  if (set.IsEmpty()) set = online;
  if (set.IsEmpty()) set.Add(0);
  return set;
}

}  // namespace

uint32_t VisibleCpus::ShownNumber(uint32_t cpu) const {
  return numbering == CpuNumbering::kVirtual ? physical.RankOf(cpu) : cpu;
}

CpuSet VisibleCpus::Shown() const {
  return ShownOf(physical);
}

CpuSet VisibleCpus::ShownOf(const CpuSet& cpus) const {
  const CpuSet visible = cpus.Intersect(physical);
  if (numbering == CpuNumbering::kPhysical) return visible;
  CpuSet shown;
  uint32_t rank = 0;
  for (uint32_t cpu = physical.Next(0); cpu < CpuSet::kMaxCpus; cpu = physical.Next(cpu + 1)) {
    if (visible.Contains(cpu)) shown.Add(rank);
    ++rank;
  }
  return shown;
}

VisibleCpus DeriveVisibleCpus(const CpuSet& effective_cpuset,
                              const CpuSet& online,
                              const std::optional<cgroup::CpuQuota>& smallest_quota,
                              CpuPolicy policy) {
  const CpuSet set = NonEmptySet(effective_cpuset, online);
  const uint32_t most = set.Count();
  const bool by_quota = policy.count == CpuCount::kQuota;
  const auto count = static_cast<uint32_t>(by_quota ? CpusOf(smallest_quota, most) : most);
  return VisibleCpus{.physical = set.Lowest(count),
                     .count = count,
                     .whole_set = count == most,
                     .numbering = policy.numbering};
}

}  // namespace core::model
