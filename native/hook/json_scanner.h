// SPDX-License-Identifier: Apache-2.0
// Where a JSON value ends.
//
// Source: RFC 8259.
// Units:  bytes.
// Errors: nullopt for text that is not JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace hook {

// The first position at or after `at` that is no blank.
size_t SkipBlanks(std::string_view text, size_t at);

// The position after the value that begins at `at`; `depth` is how deep it is nested.
std::optional<size_t> SkipValue(std::string_view text, size_t at, int depth);

// The position after the string whose opening quote is at `at`.
std::optional<size_t> SkipString(std::string_view text, size_t at);

}  // namespace hook
