// SPDX-License-Identifier: Apache-2.0
// What LXC tells a hook of the container that it is for.
//
// Source: lxc.container.conf(5), "CONTAINER HOOKS" and "CONTAINER HOOKS ENVIRONMENT VARIABLES".
// Units:  none.
// Errors: EINVAL without a process id; a configuration that cannot be read has no choice.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hook {

struct LxcContainer {
  std::string name;
  pid_t pid = 0;
  std::optional<std::string> choice;  // LENSFS of its environment
};

// From this process's environment.
core::Result<LxcContainer> ReadLxcContainer();

// The value of the last "lxc.environment = LENSFS=cpu,memory" of a container's configuration;
// nothing of what it includes.
std::optional<std::string> FindLxcChoice(std::string_view config);

}  // namespace hook
