// SPDX-License-Identifier: Apache-2.0
// New FUSE mounts, and what they need of the directory they come to be on.
//
// Source: mount(2), fuse(4).
// Units:  none.
// Errors: "/dev/fuse" with the errno of opening it; EBUSY for a directory that something else is
//         mounted on; ENOTEMPTY; ENOTDIR; the errno of the system call otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace mounts {

enum class Access : uint8_t { kReadOnly, kReadWrite };

// Mounts a new connection at the directory `path` and gives its /dev/fuse descriptor. A mount there
// whose daemon is dead is cleared first.
core::Result<core::Fd> MountConnection(const std::string& path, Access access = Access::kReadOnly);

// Whether `path` is an empty directory that nothing is mounted on.
core::Status CheckIsFree(const std::string& path);

// Takes the mount away; what is still open in it goes on working until it is closed.
core::Status Unmount(const std::string& path);

}  // namespace mounts
