// SPDX-License-Identifier: Apache-2.0
#include "core/proc/vmstat.h"

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

constexpr size_t kUsualLines = 256;

}  // namespace

Result<std::vector<VmStatLine>> ParseVmStat(std::string_view text) {
  if (text.empty()) return ParseErrorAt(1);
  std::vector<VmStatLine> lines;
  lines.reserve(kUsualLines);
  for (int number = 1; !text.empty(); ++number) {
    std::string_view value = TakeLine(text);
    const std::string_view key = TakeUntil(value, ' ');
    const auto parsed = ParseU64(value);
    if (key.empty() || !parsed) return ParseErrorAt(number);
    lines.push_back({.key = key, .value = *parsed});
  }
  return lines;
}

}  // namespace core::proc
