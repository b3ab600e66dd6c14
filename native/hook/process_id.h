// SPDX-License-Identifier: Apache-2.0
// The number of a process, as a runtime writes it.
//
// Source: runtime-spec, runtime.md "State"; kernel/pid.c: PID_MAX_LIMIT.
// Units:  none.
// Errors: none; text that is no process's number gives nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/text.h"

namespace hook {

// "4711". Not 0, a sign, quotes, a fraction or an exponent, nor more than any kernel gives.
inline std::optional<pid_t> ParseProcessId(std::string_view text) {
  constexpr uint64_t kLargest = uint64_t{4} * 1024 * 1024;
  const auto number = core::ParseU64(text);
  if (!number || *number == 0 || *number > kLargest) return std::nullopt;
  return static_cast<pid_t>(*number);
}

}  // namespace hook
