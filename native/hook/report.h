// SPDX-License-Identifier: Apache-2.0
// Where problems are told: the runtime's log, or else the system's.
//
// Source: runc(8), "--log" and "--log-format"; syslog(3).
// Units:  none.
// Errors: none; there is nobody left to tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hook {

enum class LogFormat : uint8_t { kText, kJson };

struct Log {
  std::string program;    // "lensfs-hook"
  std::string file = {};  // "" when the runtime has no log
  LogFormat format = LogFormat::kText;
};

// One line, whatever is in the text.
void Report(const Log& log, std::string_view text);

}  // namespace hook
