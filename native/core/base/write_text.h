// SPDX-License-Identifier: Apache-2.0
// Appending text and numbers to a string whose capacity is kept between uses.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace core {

class TextWriter {
 public:
  // `out` must outlive the writer; what it already holds stays in front.
  explicit TextWriter(std::string& out) : out_(out) {}

  TextWriter& Put(std::string_view text) {
    out_.append(text);
    return *this;
  }
  TextWriter& Put(char c) {
    out_.push_back(c);
    return *this;
  }
  // Decimal, right-aligned with blanks in `width` columns (wider numbers are not cut).
  TextWriter& PutU64(uint64_t value, size_t width = 0) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    const auto count = static_cast<size_t>(end - digits);
    if (count < width) out_.append(width - count, ' ');
    out_.append(digits, count);
    return *this;
  }
  // `hundredths` as "12.34".
  TextWriter& PutHundredths(uint64_t hundredths) {
    PutU64(hundredths / 100).Put('.');
    const auto rest = static_cast<char>(hundredths % 100);
    return Put(static_cast<char>('0' + rest / 10)).Put(static_cast<char>('0' + rest % 10));
  }

 private:
  std::string& out_;
};

}  // namespace core
