// SPDX-License-Identifier: Apache-2.0
#include "core/proc/meminfo.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

std::optional<MemInfoLine> ParseLine(std::string_view text) {
  MemInfoLine line{.text = text};
  const auto colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  line.label = text.substr(0, colon);
  text.remove_prefix(colon + 1);
  const auto value = ParseU64(TakeWord(text));
  const std::string_view unit = TakeWord(text);
  if (!value || !(unit.empty() || unit == "kB") || !TakeWord(text).empty()) return std::nullopt;
  line.value = *value;
  line.has_unit = !unit.empty();
  return line;
}

}  // namespace

uint64_t MemInfo::ValueOf(std::string_view label) const {
  for (const MemInfoLine& line : Lines()) {
    if (line.label == label) return line.value;
  }
  return 0;
}

bool MemInfo::Append(const MemInfoLine& line) {
  if (count_ == kMaxLines) return false;
  lines_[count_++] = line;
  return true;
}

Result<MemInfo> ParseMemInfo(std::string_view text) {
  if (text.empty()) return ParseErrorAt(1);
  Result<MemInfo> info{MemInfo()};
  for (int number = 1; !text.empty(); ++number) {
    const auto line = ParseLine(TakeLine(text));
    if (!line) return ParseErrorAt(number);
    if (!info->Append(*line)) break;
  }
  return info;
}

}  // namespace core::proc
