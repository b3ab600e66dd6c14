// SPDX-License-Identifier: Apache-2.0
#include "hook/printable.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hook {
namespace {

struct Character {
  uint32_t code;
  size_t length;
  bool is_valid;
};

// The first character of a text that is not empty; an invalid byte is one by itself.
Character First(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {.code = lead, .length = 1, .is_valid = true};
  const Character broken{.code = lead, .length = 1, .is_valid = false};
  size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (length == 0 || text.size() < length) return broken;
  uint32_t code = lead & (0xFFU >> (length + 1));
  for (size_t at = 1; at < length; ++at) {
    const auto next = static_cast<unsigned char>(text[at]);
    if ((next & 0xC0U) != 0x80) return broken;
    code = code << 6 | (next & 0x3FU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kLeast[length] || code > 0x10FFFF || is_surrogate) return broken;
  return {.code = code, .length = length, .is_valid = true};
}

bool IsActive(uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code <= 0x9F);
  const bool is_line_end = code == 0x2028 || code == 0x2029;
  const bool is_mark = code == 0x061C || code == 0x200E || code == 0x200F || code == 0xFEFF;
  const bool is_turn = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return is_control || is_line_end || is_mark || is_turn;
}

void AppendHex(std::string& text, uint32_t code, int digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int at = digits - 1; at >= 0; --at) text.push_back(kDigits[code >> (4 * at) & 0xFU]);
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const Character character = First(text);
    if (character.is_valid && !IsActive(character.code)) {
      result.append(text.substr(0, character.length));
    } else {
      const bool is_byte = character.code < 0x100;
      result.append(is_byte ? "\\x" : "\\u");
      AppendHex(result, character.code, is_byte ? 2 : 4);
    }
    text.remove_prefix(character.length);
  }
  return result;
}

}  // namespace hook
