// SPDX-License-Identifier: Apache-2.0
// Mounting and unmounting a FUSE connection without a helper program.
//
// Source: mount(2), fuse(4); Documentation/filesystems/fuse.rst.
// Units:  none.
// Errors: EBUSY when something else is mounted there, ENOTEMPTY when the directory has files of its
//         own; the errno of the system call otherwise, with the path.
#pragma once

#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace fuse_layer {

// Mounts a new connection read-only at the directory `path` and gives its /dev/fuse descriptor. A
// mount there whose daemon is dead is cleared first.
core::Result<core::Fd> MountConnection(const std::string& path);

// Shows the directory `source` at the directory `target` too, read-only. A dead daemon's mount
// there is cleared first.
core::Status BindDirectory(const std::string& source, const std::string& target);

// Takes the mount away; what is still open in it goes on working until it is closed.
core::Status Unmount(const std::string& path);

}  // namespace fuse_layer
