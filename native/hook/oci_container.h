// SPDX-License-Identifier: Apache-2.0
// What an OCI runtime tells a hook.
//
// Source: runtime-spec, runtime.md "State" and config.md.
// Units:  none.
// Errors: EINVAL for what is not as the specification says; the errno of open or read otherwise.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hook {

struct OciContainer {
  std::string id;
  std::string pid;        // as the runtime has written it: to be parsed where it has a meaning
  std::string root;       // absolute
  bool has_pids = false;  // a pid namespace that is not the host's
  // What the container asks for: the annotation "lensfs.io/view", else the variable LENSFS.
  std::optional<std::string> choice;
};

// `state` is what the runtime writes to the hook's standard input; config.json is read from the
// bundle.
core::Result<OciContainer> ReadOciContainer(std::string_view state);

}  // namespace hook
