// SPDX-License-Identifier: Apache-2.0
// Paths as the kernel's mount tables write them.
//
// Source: seq_path(9): blanks, tabs, newlines and backslashes are \040, \011, \012 and \134.
// Units:  none.
// Errors: none; what is no escape stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace core {

std::string UndoOctalEscapes(std::string_view text);

}  // namespace core
