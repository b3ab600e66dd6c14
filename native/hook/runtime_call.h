// SPDX-License-Identifier: Apache-2.0
// What a command line asks an OCI runtime to do.
//
// Source: runc(8) and crun(1): global options, the command, its options, the container's id.
// Units:  none.
// Errors: none; a line that is not understood is passed on as it is.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hook/report.h"

namespace hook {

// Our own options, which the runtime does not get.
struct RuntimeOptions {
  std::string runtime;              // --lensfs-runtime: a name or a path
  std::string hook;                 // --lensfs-hook: a path
  std::vector<std::string> passed;  // the hook's own: "--files=cpu", "--tree=...", "--strict"
};

struct RuntimeCall {
  RuntimeOptions options;
  std::vector<std::string> args;      // without ours, and without the program's name
  std::optional<std::string> config;  // path of the config.json that it makes a container of
  Log log;
};

// `args` without the program's name.
RuntimeCall ParseRuntimeCall(std::span<char* const> args);

}  // namespace hook
