// SPDX-License-Identifier: Apache-2.0
// Escapes names that a container, a cgroup or a process has chosen before they are printed: a
// terminal or a log must not take a part of one for a command or for the end of a line.
//
// Source: Unicode, general category Cc; UAX #9 for what changes the direction of text.
// Units:  bytes.
// Errors: none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace core {

// A longer text is cut.
inline constexpr size_t kPrintableBytesMax = 4096;

// "\x1b" for control characters, those of C1 and DEL too, and for bytes that are no UTF-8; "\u202e"
// for the separators of lines and paragraphs and for what turns the direction of text. All else is
// as it was, backslashes too. As printable() of src/printable.ts.
std::string Printable(std::string_view text);

// The same as a JSON string, with its quotes.
std::string PrintableJson(std::string_view text);

}  // namespace core
