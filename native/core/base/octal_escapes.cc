// SPDX-License-Identifier: Apache-2.0
#include "core/base/octal_escapes.h"

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace core {

std::string UndoOctalEscapes(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      unsigned value = 0;
      const auto [stop, status] = std::from_chars(&text[i + 1], &text[i + 1] + 3, value, 8);
      if (status == std::errc() && stop == &text[i + 1] + 3 && value < 256) {
        plain.push_back(static_cast<char>(value));
        i += 3;
        continue;
      }
    }
    plain.push_back(text[i]);
  }
  return plain;
}

}  // namespace core
