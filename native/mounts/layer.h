// SPDX-License-Identifier: Apache-2.0
// One layer of one file: a copy of a mount, first attached nowhere.
//
// Source: open_tree(2), move_mount(2), mount_setattr(2), statx(2).
// Units:  none.
// Errors: ENOENT for a source that is not there; EINVAL where the kernel cannot put a layer beneath
//         another (Linux before 6.5); the errno of the system call otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "mounts/connection_mount.h"

namespace mounts {

// A copy of the mount at `path`, without what is mounted below, that is attached nowhere.
core::Fd CloneMount(const std::string& path);

// A copy of what is at `source`.
core::Result<core::Fd> MakeLayer(const std::string& source, Access access);

core::Status PutOnTop(const core::Fd& layer, const std::string& path);
// Nobody sees a change before what is on top is taken away.
core::Status PutBeneathTop(const core::Fd& layer, const std::string& path);

// What a layer shows. No FUSE daemon is asked.
struct Shown {
  std::string device;  // as in mounts::Mount
  uint64_t inode = 0;
  bool operator==(const Shown&) const = default;
};
core::Result<Shown> ShownBy(const core::Fd& layer);
core::Result<Shown> ShownAt(const std::string& path);

}  // namespace mounts
