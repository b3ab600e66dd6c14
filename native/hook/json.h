// SPDX-License-Identifier: Apache-2.0
// Looking into JSON text without changing a byte of it: values are places in the text, numbers are
// never converted, and what nobody asks for is only skipped.
//
// Source: RFC 8259.
// Units:  bytes.
// Errors: nullopt for text that is not JSON, or nested deeper than kJsonDepthMax.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hook {

inline constexpr int kJsonDepthMax = 128;

// A value in a checked text. Valid as long as the text is.
class JsonValue {
 public:
  // Checks the whole text.
  static std::optional<JsonValue> Parse(std::string_view text);

  // Without blanks around it: "{...}", "[...]", "\"...\"", "12", "null".
  [[nodiscard]] std::string_view Text() const { return text_; }
  // Where it begins in the text that was parsed.
  [[nodiscard]] size_t Offset() const { return offset_; }
  [[nodiscard]] bool IsObject() const { return text_.front() == '{'; }
  [[nodiscard]] bool IsArray() const { return text_.front() == '['; }
  [[nodiscard]] bool IsNull() const { return text_ == "null"; }
  // Without members or elements; false for what is neither an object nor an array.
  [[nodiscard]] bool IsEmpty() const;

  // The member of an object; of several with this name the last, which runtimes take too.
  [[nodiscard]] std::optional<JsonValue> Member(std::string_view name) const;
  // The member of a member of a member.
  template <typename... Names>
  [[nodiscard]] std::optional<JsonValue> Member(std::string_view name, Names... names) const {
    const auto inner = Member(name);
    return inner ? inner->Member(names...) : std::nullopt;
  }
  // Calls `visit` with each element of an array; of anything else none.
  void ForEachElement(const std::function<void(const JsonValue&)>& visit) const;
  // A string's characters as UTF-8; nullopt for what is no string.
  [[nodiscard]] std::optional<std::string> String() const;

 private:
  JsonValue(std::string_view text, size_t offset) : text_(text), offset_(offset) {}

  std::string_view text_;
  size_t offset_ = 0;
};

// `text` between quotes, with what must not be in a string escaped.
std::string ToJsonString(std::string_view text);

}  // namespace hook
