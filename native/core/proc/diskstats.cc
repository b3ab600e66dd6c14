// SPDX-License-Identifier: Apache-2.0
#include "core/proc/diskstats.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

constexpr size_t kFewestValues = 11;

// By place behind the name; null for numbers that nobody asks for.
constexpr std::array<uint64_t DiskLine::*, 14> kColumns{&DiskLine::reads,
                                                        nullptr,
                                                        &DiskLine::read_sectors,
                                                        nullptr,
                                                        &DiskLine::writes,
                                                        nullptr,
                                                        &DiskLine::write_sectors,
                                                        nullptr,
                                                        nullptr,
                                                        nullptr,
                                                        nullptr,
                                                        &DiskLine::discards,
                                                        nullptr,
                                                        &DiskLine::discard_sectors};

std::optional<uint32_t> ParseU32(std::string_view text) {
  const auto value = ParseU64(text);
  if (!value || *value > std::numeric_limits<uint32_t>::max()) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

std::optional<DiskLine> ParseLine(std::string_view text) {
  DiskLine line;
  const auto major = ParseU32(TakeWord(text));
  const auto minor = ParseU32(TakeWord(text));
  line.name = TakeWord(text);
  if (!major || !minor) return std::nullopt;
  line.major = *major;
  line.minor = *minor;
  for (std::string_view word = TakeWord(text); !word.empty(); word = TakeWord(text)) {
    const auto value = ParseU64(word);
    if (!value) return std::nullopt;
    const size_t column = line.value_count++;
    if (column < kColumns.size() && kColumns[column] != nullptr) line.*kColumns[column] = *value;
  }
  if (line.value_count < kFewestValues) return std::nullopt;
  return line;
}

}  // namespace

Result<std::vector<DiskLine>> ParseDiskStats(std::string_view text) {
  std::vector<DiskLine> lines;
  for (int number = 1; !text.empty(); ++number) {
    const auto line = ParseLine(TakeLine(text));
    if (!line) return ParseErrorAt(number);
    lines.push_back(*line);
  }
  return lines;
}

}  // namespace core::proc
