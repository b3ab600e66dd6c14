// SPDX-License-Identifier: Apache-2.0
// Every parser, model and renderer of core on one text.
//
// Source: none.
// Units:  none.
// Errors: none; whatever the text, all return, and what was rendered can be parsed again.
#pragma once

#include <string_view>

namespace testing {

// False when a rendered text is not understood by the parser of the same file.
bool RunEverything(std::string_view text);

}  // namespace testing
