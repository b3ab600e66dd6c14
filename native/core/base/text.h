// SPDX-License-Identifier: Apache-2.0
// Splitting kernel text in place, and reading its numbers.
//
// Source: none.
// Units:  none.
// Errors: nullopt for text that is not wholly a number; nothing here allocates or throws.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

namespace core {

// The text before the first `delimiter`; `text` keeps what follows it (nothing when there is none).
inline std::string_view TakeUntil(std::string_view& text, char delimiter) {
  const auto end = text.find(delimiter);
  const std::string_view head = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return head;
}

inline std::string_view TakeLine(std::string_view& text) {
  return TakeUntil(text, '\n');
}

inline bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

// The next word of `text`, which is cut after it; blanks (space, tab) in front are skipped. Empty
// when no word is left.
inline std::string_view TakeWord(std::string_view& text) {
  size_t begin = 0;
  while (begin < text.size() && IsBlank(text[begin])) ++begin;
  size_t end = begin;
  while (end < text.size() && !IsBlank(text[end])) ++end;
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

// `text` without blanks and newlines at either end.
inline std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) { return IsBlank(c) || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The whole of `text` as an unsigned decimal; nullopt for anything else,
// including "", a sign, blanks, trailing characters and overflow.
[[nodiscard]] inline std::optional<uint64_t> ParseU64(std::string_view text) {
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

// The same for a number that may have a minus sign.
[[nodiscard]] inline std::optional<int64_t> ParseI64(std::string_view text) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value);
  if (status != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace core
