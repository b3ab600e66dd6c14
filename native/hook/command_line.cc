// SPDX-License-Identifier: Apache-2.0
#include "hook/command_line.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace hook {

std::optional<std::string> TakeOption(std::span<char* const> args,
                                      size_t& at,
                                      std::string_view name) {
  std::string_view word = args[at];
  if (!word.starts_with(name)) return std::nullopt;
  word.remove_prefix(name.size());
  if (word.starts_with('=')) return std::string(word.substr(1));
  if (!word.empty() || at + 1 >= args.size()) return std::nullopt;
  ++at;
  return std::string(args[at]);
}

}  // namespace hook
