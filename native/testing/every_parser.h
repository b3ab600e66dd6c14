// SPDX-License-Identifier: Apache-2.0
// Every parser, model and renderer of core on one text.
//
// Source: none.
// Units:  none.
// Errors: none; whatever the text, all return, and what was rendered can be parsed again.
#pragma once

#include <span>
#include <string_view>

namespace testing {

// The parsers of one kind of text, with the models and renderers behind them.
struct ParserCheck {
  std::string_view name;  // also of its fuzz target
  // False when something was read or written wrongly.
  bool (*run)(std::string_view text);
};

std::span<const ParserCheck> ParserChecks();

// Every check on one text.
bool RunEverything(std::string_view text);

}  // namespace testing
