// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/cpu.h"

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/key_table.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/units.h"

namespace core::cgroup {
namespace {

struct Field {
  std::string_view key;
  uint64_t CpuUsage::* member = nullptr;  // null: not used, here to keep searches short
};

constexpr std::array kFieldsV2{
    Field{"usage_usec", nullptr},
    Field{"user_usec", &CpuUsage::user_usec},
    Field{"system_usec", &CpuUsage::system_usec},
    Field{"nice_usec", &CpuUsage::nice_usec},
    Field{"nr_periods", nullptr},
    Field{"nr_throttled", nullptr},
    Field{"throttled_usec", &CpuUsage::throttled_usec},
    Field{"nr_bursts", nullptr},
    Field{"burst_usec", nullptr},
};

std::optional<CpuUsageOfOne> ParseUsageOfOne(std::string_view line) {
  const auto cpu = ParseU64(TakeWord(line));
  const auto user_nsec = ParseU64(TakeWord(line));
  const auto system_nsec = ParseU64(TakeWord(line));
  if (!cpu || *cpu > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  if (!user_nsec || !system_nsec) return std::nullopt;
  return CpuUsageOfOne{.cpu = static_cast<uint32_t>(*cpu),
                       .user_usec = *user_nsec / kNsecPerUsec,
                       .system_usec = *system_nsec / kNsecPerUsec};
}

// A period of 0 cannot be divided by, and the kernel has none.
Result<std::optional<CpuQuota>> MakeQuota(std::optional<uint64_t> quota,
                                          std::optional<uint64_t> period) {
  if (!quota || !period || *period == 0) return ParseErrorAt(1);
  return std::optional(CpuQuota{.quota_usec = *quota, .period_usec = *period});
}

}  // namespace

Result<CpuUsage> ParseCpuStatV2(std::string_view text) {
  CpuUsage usage;
  KeyFinder<Field> fields(kFieldsV2);
  for (int number = 1; !text.empty(); ++number) {
    std::string_view value = TakeLine(text);
    const Field* const field = fields.Find(TakeUntil(value, ' '));
    if (field == nullptr || field->member == nullptr) continue;
    const auto parsed = ParseU64(value);
    if (!parsed) return ParseErrorAt(number);
    usage.*field->member = *parsed;
  }
  return usage;
}

Result<uint64_t> ParseThrottledV1(std::string_view text) {
  uint64_t throttled_nsec = 0;
  for (int number = 1; !text.empty(); ++number) {
    std::string_view value = TakeLine(text);
    if (TakeUntil(value, ' ') != "throttled_time") continue;
    const auto parsed = ParseU64(value);
    if (!parsed) return ParseErrorAt(number);
    throttled_nsec = *parsed;
  }
  return throttled_nsec / kNsecPerUsec;
}

Result<std::vector<CpuUsageOfOne>> ParseUsageAll(std::string_view text) {
  // Without the header nobody knows which column is which.
  if (!TakeLine(text).starts_with("cpu user system")) return ParseErrorAt(1);
  std::vector<CpuUsageOfOne> cpus;
  for (int number = 2; !text.empty(); ++number) {
    const auto usage = ParseUsageOfOne(TakeLine(text));
    if (!usage) return ParseErrorAt(number);
    cpus.push_back(*usage);
  }
  return cpus;
}

Result<std::optional<CpuQuota>> ParseCpuMax(std::string_view text) {
  std::string_view period = TakeLine(text);
  const std::string_view quota = TakeUntil(period, ' ');
  if (quota == "max") return std::optional<CpuQuota>();
  return MakeQuota(ParseU64(quota), ParseU64(period));
}

Result<std::optional<CpuQuota>> ParseCfsQuota(std::string_view quota, std::string_view period) {
  const std::string_view number = TakeLine(quota);
  if (number == "-1") return std::optional<CpuQuota>();
  return MakeQuota(ParseU64(number), ParseU64(TakeLine(period)));
}

}  // namespace core::cgroup
