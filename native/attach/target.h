// SPDX-License-Identifier: Apache-2.0
// A place in the container, and what is there now.
//
// Source: statx(2) with STATX_MNT_ID; openat2(2).
// Units:  none.
// Errors: ENOENT when the container has no such file; ELOOP when a symbolic link is on the way.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {

struct Target {
  core::Fd fd;  // O_PATH
  uint64_t mount_id = 0;
  bool is_mount_point = false;
  uint64_t device = 0;  // as makedev(3) packs it
};

// Asks no file system, so that a dead one is found as well. Symbolic links are refused: a container
// may make them lead anywhere.
core::Result<Target> OpenTarget(const std::string& path);

// Of a mount, also of one that is nowhere yet: it keeps its id when it is moved.
core::Result<uint64_t> MountIdOf(const core::Fd& mount);

// True when the file system there is one whose daemon has gone.
bool IsDead(const Target& target);

// Mounts `clone` over it.
core::Status MountOver(const Target& target, const core::Fd& clone);

// Puts `clone` in the place of the mount at `path`, which is `target`. Where the kernel cannot do
// it without a moment of neither, the old mount stays below.
core::Status ReplaceMount(const std::string& path, const Target& target, const core::Fd& clone);

// Takes the topmost mount at `path` away; what is open goes on working.
core::Status RemoveMount(const std::string& path);

}  // namespace attach
