// SPDX-License-Identifier: Apache-2.0
// Adds a hook to an OCI config.json. All other bytes stay as they are.
//
// Source: runtime-spec, config.md, "POSIX-platform Hooks".
// Units:  none.
// Errors: EINVAL for text that is not JSON, or whose hooks are not what the specification says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hook {

struct OciHook {
  std::string stage;  // such as "createRuntime"
  std::string path;
  std::string json;  // the element of the stage's array
};

// The text with the hook as the last of its stage; nullopt when a hook with this path is there.
core::Result<std::optional<std::string>> AddHook(std::string_view config, const OciHook& hook);

}  // namespace hook
