// SPDX-License-Identifier: Apache-2.0
// The name of a container's view, from the cgroups of its first process.
//
// Source: cgroups(7), /proc/<pid>/cgroup; the order of controllers is that of cgroup::Cgroup.
// Units:  none.
// Errors: none; a process in the root cgroup, which is the host's, has no view.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace attach {

// `text` is lines such as "4:memory:/docker/0a1b" or "0::/system.slice/docker-0a1b.scope", as the
// host sees them. systemd in a container moves itself to a cgroup below its own.
std::optional<std::string> ParseViewName(std::string_view text);

}  // namespace attach
