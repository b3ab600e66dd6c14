// SPDX-License-Identifier: Apache-2.0
#include "hook/json.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "hook/json_scanner.h"

namespace hook {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

void AppendUtf8(uint32_t code, std::string& into) {
  const auto put = [&into](uint32_t byte) { into.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      put(0xE0 | (code >> 12));
    } else {
      put(0xF0 | (code >> 18));
      put(0x80 | ((code >> 12) & 0x3F));
    }
    put(0x80 | ((code >> 6) & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// The number that the escape "\u" at `at` of a checked string gives in four digits.
uint32_t CodeUnitAt(std::string_view text, size_t at) {
  uint32_t unit = 0;
  constexpr int kHex = 16;
  (void)std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, kHex);
  return unit;
}

// Appends the character of the "\u" at `at`; gives the position after it.
size_t AppendCodeUnits(std::string_view text, size_t at, std::string& into) {
  const uint32_t high = CodeUnitAt(text, at);
  const bool is_high = high >= 0xD800 && high < 0xDC00;
  if (is_high && text.substr(at + 6, 2) == "\\u") {
    const uint32_t low = CodeUnitAt(text, at + 6);
    if (low >= 0xDC00 && low < 0xE000) {
      AppendUtf8(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), into);
      return at + 12;
    }
  }
  AppendUtf8(high >= 0xD800 && high < 0xE000 ? kReplacement : high, into);
  return at + 6;
}

char ShortEscape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;
  }
}

// `text` is a checked string with its quotes.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (size_t at = 1; at + 1 < text.size();) {
    if (text[at] != '\\') {
      plain.push_back(text[at++]);
    } else if (text[at + 1] == 'u') {
      at = AppendCodeUnits(text, at, plain);
    } else {
      plain.push_back(ShortEscape(text[at + 1]));
      at += 2;
    }
  }
  return plain;
}

}  // namespace

std::optional<JsonValue> JsonValue::Parse(std::string_view text) {
  const size_t begin = SkipBlanks(text, 0);
  const auto end = SkipValue(text, begin, 0);
  if (!end || SkipBlanks(text, *end) != text.size()) return std::nullopt;
  return JsonValue(text.substr(begin, *end - begin), begin);
}

bool JsonValue::IsEmpty() const {
  return (IsObject() || IsArray()) && SkipBlanks(text_, 1) == text_.size() - 1;
}

std::optional<JsonValue> JsonValue::Member(std::string_view name) const {
  std::optional<JsonValue> found;
  if (!IsObject() || IsEmpty()) return found;
  for (size_t at = 0; text_[at] != '}';) {
    at = SkipBlanks(text_, at + 1);
    const auto name_end = SkipString(text_, at);
    if (!name_end) return std::nullopt;
    const std::string_view quoted = text_.substr(at, *name_end - at);
    at = SkipBlanks(text_, SkipBlanks(text_, *name_end) + 1);
    const auto end = SkipValue(text_, at, 0);
    if (!end) return std::nullopt;
    if (Unescape(quoted) == name) found = JsonValue(text_.substr(at, *end - at), offset_ + at);
    at = SkipBlanks(text_, *end);
  }
  return found;
}

void JsonValue::ForEachElement(const std::function<void(const JsonValue&)>& visit) const {
  if (!IsArray() || IsEmpty()) return;
  for (size_t at = 0; text_[at] != ']';) {
    at = SkipBlanks(text_, at + 1);
    const auto end = SkipValue(text_, at, 0);
    if (!end) return;
    visit(JsonValue(text_.substr(at, *end - at), offset_ + at));
    at = SkipBlanks(text_, *end);
  }
}

std::optional<std::string> JsonValue::String() const {
  if (text_.front() != '"') return std::nullopt;
  return Unescape(text_);
}

std::string ToJsonString(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (code < 0x20) {
      quoted.append("\\u00");
      quoted.push_back(kHexDigits[code >> 4]);
      quoted.push_back(kHexDigits[code & 0xF]);
    } else {
      quoted.push_back(c);
    }
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace hook
