// SPDX-License-Identifier: Apache-2.0
// A text that somebody else chose, as a line for people: annotations, names and paths of a
// container can be any bytes, and a terminal, a log or a pager acts on some of them.
//
// Source: ECMA-48 (C0, C1), Unicode Standard Annex 9 (characters that turn the direction of what
// follows). Units:  bytes of UTF-8. Errors: none; a byte that is no UTF-8 is written like one that
// does something.
#pragma once

#include <string>
#include <string_view>

namespace hook {

// C0, DEL, C1 and what is no UTF-8 as "\x1b", ends of lines and marks of direction as "\u202e"; all
// else as it is.
std::string Printable(std::string_view text);

}  // namespace hook
