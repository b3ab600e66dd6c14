// SPDX-License-Identifier: Apache-2.0
// The peer groups of all mounts of a process's mount namespace, on every kernel.
//
// Source: core/base/mount_groups.h; before Linux 6.11 /proc/<pid>/mountinfo.
// Units:  none.
// Errors: errno of the calls; EFBIG for more mounts than are looked at.
#pragma once

#include <string>
#include <vector>

#include "core/base/mount_groups.h"
#include "core/base/result.h"

namespace mounts {

// `process` is a directory "/proc/<pid>".
core::Result<std::vector<core::MountGroups>> ReadMountGroups(const std::string& process);

}  // namespace mounts
