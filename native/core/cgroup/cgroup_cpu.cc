// SPDX-License-Identifier: Apache-2.0
// The cpu, cpuacct and cpuset controllers of one container root.
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/hierarchy.h"

namespace core::cgroup {

Result<std::optional<CpuQuota>> Cgroup::ReadCpuQuota(FileBuffer& buffer) const {
  std::optional<CpuQuota> smallest;
  const bool is_v1 = VersionOf(Controller::kCpu) == Version::kV1;
  for (const auto& dir : ChainOf(Controller::kCpu)) {
    const auto text = dir->Read(is_v1 ? CgroupFile::kCpuCfsQuota : CgroupFile::kCpuMax, buffer);
    if (!text) {
      if (IsMissing(text.error())) continue;
      return text.error();
    }
    if (!is_v1) {
      const auto quota = ParseCpuMax(*text);
      if (!quota) return quota.error();
      smallest = SmallerQuota(smallest, *quota);
      continue;
    }
    if (text->starts_with('-')) continue;  // no quota: the period does not matter
    std::array<char, 24> quota_text{};
    const std::string_view kept(quota_text.data(),
                                text->copy(quota_text.data(), quota_text.size()));
    const auto period = dir->Read(CgroupFile::kCpuCfsPeriod, buffer);
    if (!period) return period.error();
    const auto quota = ParseCfsQuota(kept, *period);
    if (!quota) return quota.error();
    smallest = SmallerQuota(smallest, *quota);
  }
  return smallest;
}

Result<std::optional<CpuUsage>> Cgroup::ReadCpuUsage(FileBuffer& buffer) const {
  if (VersionOf(Controller::kCpuacct) == Version::kV1) return ReadCpuUsageV1(buffer);
  const auto text = ReadNearest(ChainOf(Controller::kCpuacct), CgroupFile::kCpuStat, buffer);
  if (!text) return text.error();
  const std::optional<std::string_view>& found = *text;
  if (!found) return std::optional<CpuUsage>();
  auto usage = ParseCpuStatV2(*found);
  if (!usage) return usage.error();
  return std::optional(std::move(*usage));
}

Result<std::optional<CpuUsage>> Cgroup::ReadCpuUsageV1(FileBuffer& buffer) const {
  if (IsRoot(Controller::kCpuacct)) return std::optional<CpuUsage>();
  CpuUsage usage;
  auto text = ChainOf(Controller::kCpuacct).front()->Read(CgroupFile::kCpuacctUsageAll, buffer);
  if (!text) return text.error();
  auto per_cpu = ParseUsageAll(*text);
  if (!per_cpu) return per_cpu.error();
  usage.per_cpu = std::move(*per_cpu);
  for (const CpuUsageOfOne& one : usage.per_cpu) {
    usage.user_usec += one.user_usec;
    usage.system_usec += one.system_usec;
  }
  if (IsRoot(Controller::kCpu)) return std::optional(std::move(usage));
  text = ChainOf(Controller::kCpu).front()->Read(CgroupFile::kCpuStat, buffer);
  if (!text) return text.error();
  const auto throttled = ParseThrottledV1(*text);
  if (!throttled) return throttled.error();
  usage.throttled_usec = *throttled;
  return std::optional(std::move(usage));
}

Result<std::optional<CpuSet>> Cgroup::ReadEffectiveCpus(FileBuffer& buffer) const {
  const bool is_v1 = VersionOf(Controller::kCpuset) == Version::kV1;
  const auto effective = is_v1 ? CgroupFile::kCpusetEffectiveV1 : CgroupFile::kCpusetEffective;
  for (const auto& dir : ChainOf(Controller::kCpuset)) {
    auto text = dir->Read(effective, buffer);
    if (is_v1 && !text && IsMissing(text.error()))
      text = dir->Read(CgroupFile::kCpusetCpus, buffer);
    if (!text) {
      if (IsMissing(text.error()) && dir->IsAlive()) continue;
      return text.error();
    }
    if (Trim(*text).empty()) continue;
    const auto cpus = ParseCpuList(*text);
    if (!cpus) return cpus.error();
    return std::optional(*cpus);
  }
  return std::optional<CpuSet>();
}

}  // namespace core::cgroup
