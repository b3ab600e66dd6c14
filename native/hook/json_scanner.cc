// SPDX-License-Identifier: Apache-2.0
#include "hook/json_scanner.h"

#include <cstddef>
#include <optional>
#include <string_view>

#include "hook/json.h"

namespace hook {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// '\0', which is never right, past the end.
char CharAt(std::string_view text, size_t at) {
  return at < text.size() ? text[at] : '\0';
}

std::optional<size_t> SkipWord(std::string_view text, size_t at, std::string_view word) {
  if (text.substr(at, word.size()) != word) return std::nullopt;
  return at + word.size();
}

std::optional<size_t> SkipDigits(std::string_view text, size_t at) {
  if (!IsDigit(CharAt(text, at))) return std::nullopt;
  while (IsDigit(CharAt(text, at))) ++at;
  return at;
}

std::optional<size_t> SkipNumber(std::string_view text, size_t at) {
  if (CharAt(text, at) == '-') ++at;
  const bool begins_with_zero = CharAt(text, at) == '0';
  auto end = SkipDigits(text, at);
  if (!end || (begins_with_zero && *end != at + 1)) return std::nullopt;
  if (CharAt(text, *end) == '.') {
    end = SkipDigits(text, *end + 1);
    if (!end) return std::nullopt;
  }
  if (CharAt(text, *end) != 'e' && CharAt(text, *end) != 'E') return end;
  at = *end + 1;
  if (CharAt(text, at) == '+' || CharAt(text, at) == '-') ++at;
  return SkipDigits(text, at);
}

// The position after the escape sequence whose backslash is at `at`.
std::optional<size_t> SkipEscape(std::string_view text, size_t at) {
  constexpr std::string_view kShort = "\"\\/bfnrt";
  const char c = CharAt(text, at + 1);
  if (c != 'u') {
    if (c == '\0' || kShort.find(c) == std::string_view::npos) return std::nullopt;
    return at + 2;
  }
  for (size_t digit = at + 2; digit < at + 6; ++digit) {
    if (!IsHexDigit(CharAt(text, digit))) return std::nullopt;
  }
  return at + 6;
}

// The position after the name and the colon of the member that begins at `at`.
std::optional<size_t> SkipName(std::string_view text, size_t at) {
  const auto end = SkipString(text, at);
  if (!end) return std::nullopt;
  at = SkipBlanks(text, *end);
  if (CharAt(text, at) != ':') return std::nullopt;
  return SkipBlanks(text, at + 1);
}

// An object or an array, whose opening bracket is at `at`.
std::optional<size_t> SkipContainer(std::string_view text, size_t at, int depth) {
  const bool is_object = text[at] == '{';
  const char closing = is_object ? '}' : ']';
  at = SkipBlanks(text, at + 1);
  if (CharAt(text, at) == closing) return at + 1;
  for (;;) {
    if (is_object) {
      const auto value = SkipName(text, at);
      if (!value) return std::nullopt;
      at = *value;
    }
    const auto end = SkipValue(text, at, depth + 1);
    if (!end) return std::nullopt;
    at = SkipBlanks(text, *end);
    const char c = CharAt(text, at);
    if (c == closing) return at + 1;
    if (c != ',') return std::nullopt;
    at = SkipBlanks(text, at + 1);
  }
}

}  // namespace

size_t SkipBlanks(std::string_view text, size_t at) {
  const auto found = text.find_first_not_of(" \t\r\n", at);
  return found == std::string_view::npos ? text.size() : found;
}

std::optional<size_t> SkipString(std::string_view text, size_t at) {
  if (CharAt(text, at) != '"') return std::nullopt;
  for (++at; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c == '"') return at + 1;
    if (c < 0x20) return std::nullopt;
    if (c != '\\') {
      ++at;
      continue;
    }
    const auto end = SkipEscape(text, at);
    if (!end) return std::nullopt;
    at = *end;
  }
  return std::nullopt;
}

std::optional<size_t> SkipValue(std::string_view text, size_t at, int depth) {
  if (depth > kJsonDepthMax) return std::nullopt;
  switch (CharAt(text, at)) {
    case '{':
    case '[':
      return SkipContainer(text, at, depth);
    case '"':
      return SkipString(text, at);
    case 't':
      return SkipWord(text, at, "true");
    case 'f':
      return SkipWord(text, at, "false");
    case 'n':
      return SkipWord(text, at, "null");
    default:
      return SkipNumber(text, at);
  }
}

}  // namespace hook
