// SPDX-License-Identifier: Apache-2.0
#include "core/base/printable.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace core {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

constexpr std::array kUnsafe = {
    Range{0x00, 0x1F},
    Range{0x7F, 0x9F},      // DEL, C1
    Range{0x061C, 0x061C},  // Arabic letter mark
    Range{0x200E, 0x200F},  // marks
    Range{0x2028, 0x202E},  // separators; embeddings and overrides
    Range{0x2066, 0x2069},  // isolates
    Range{0xFEFF, 0xFEFF},  // byte order mark
};

struct CodePoint {
  uint32_t value;
  size_t bytes;
};

// The first one of `text`, which is not empty; nullopt for what is no UTF-8, such as a surrogate or
// more bytes than are needed.
std::optional<CodePoint> FirstOf(std::string_view text) {
  const auto byte = [text](size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return CodePoint{.value = lead, .bytes = 1};
  if (lead < 0xC2 || lead > 0xF4) return std::nullopt;
  const size_t bytes = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() < bytes) return std::nullopt;
  uint32_t value = lead & (0x7FU >> bytes);
  for (size_t at = 1; at < bytes; ++at) {
    if ((byte(at) & 0xC0U) != 0x80) return std::nullopt;
    value = value << 6 | (byte(at) & 0x3FU);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = value >= 0xD800 && value < 0xE000;
  if (value < kLeast.at(bytes) || value > 0x10FFFF || is_surrogate) return std::nullopt;
  return CodePoint{.value = value, .bytes = bytes};
}

void AppendHex(uint32_t value, int digits, std::string& into) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int digit = digits - 1; digit >= 0; --digit) {
    into.push_back(kDigits[value >> (4 * digit) & 0xF]);
  }
}

bool IsUnsafe(uint32_t value) {
  return std::ranges::any_of(
      kUnsafe, [value](const Range& range) { return value >= range.first && value <= range.last; });
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    if (safe.size() >= kPrintableBytesMax) return safe.append("...");
    const auto point = FirstOf(text);
    const size_t bytes = point ? point->bytes : 1;
    const uint32_t value = point ? point->value : static_cast<unsigned char>(text.front());
    if (point && !IsUnsafe(value)) {
      safe.append(text.substr(0, bytes));
    } else {
      const bool is_short = value < 0x100;
      safe.append(is_short ? "\\x" : "\\u");
      AppendHex(value, is_short ? 2 : 4, safe);
    }
    text.remove_prefix(bytes);
  }
  return safe;
}

std::string PrintableJson(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : Printable(text)) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted.append("\"");
}

}  // namespace core
