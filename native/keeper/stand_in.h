// SPDX-License-Identifier: Apache-2.0
// What stays in the place of a keeper that outlives its container.
//
// A container ends with its first process, and with it all that is in its cgroups. So the first
// process stays behind: it passes the log on, and ends when the container is to end. The keeper
// goes on in cgroups of its own, with the mounts the container had; when the log has no reader any
// more, the container is gone.
//
// Source: cgroups(7); how runc and crun end a container without a pid namespace of its own.
// Units:  none.
// Errors: logged; the exit code then is not 0.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace keeper {

// The exit code of a keeper that has given everything to another one. Its stand-in stays: a
// container runtime would start it again.
inline constexpr int kHandedOverExitCode = 64;

// Returns twice: in the process that goes on as the keeper, with standard error as the log's pipe
// and the directories' cgroups as its own, nullopt; in the stand-in, when that is done, its exit
// code.
std::optional<int> LeaveStandIn(const std::vector<std::string>& cgroups);

}  // namespace keeper
