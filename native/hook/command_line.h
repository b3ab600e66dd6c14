// SPDX-License-Identifier: Apache-2.0
// Options of the two programs.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hook {

// The value of the option `name` at `args[at]`, as "--name=VALUE" or "--name VALUE"; in the second
// case `at` moves on to the value. nullopt when another word is there, or no value.
std::optional<std::string> TakeOption(std::span<char* const> args,
                                      size_t& at,
                                      std::string_view name);

}  // namespace hook
