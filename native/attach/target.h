// SPDX-License-Identifier: Apache-2.0
// A place in the container, and what is there now.
//
// Source: statx(2) with STATX_MNT_ID; openat2(2).
// Units:  none.
// Errors: ENOENT when the container has no such file; ELOOP when a symbolic link is on the way;
//         EAGAIN when something else is mounted there meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {

struct Target {
  core::Fd fd;       // O_PATH
  core::Fd parent;   // the directory that it is in, O_PATH
  std::string name;  // in that directory
  uint64_t mount_id = 0;
  bool is_mount_point = false;
  uint64_t device = 0;  // as makedev(3) packs it
  uint64_t inode = 0;
};

// The container's root directory. `path` is the caller's own: links on the way to it are followed.
core::Result<core::Fd> OpenRoot(const std::string& path);

// The place `path`, such as "/proc/meminfo", below `root`. Asks no file system, so that a dead one
// is found as well. Symbolic links are refused: a container may make them lead anywhere.
core::Result<Target> OpenTarget(const core::Fd& root, std::string_view path);

// Of a mount, also of one that is nowhere yet: it keeps its id when it is moved.
core::Result<uint64_t> MountIdOf(const core::Fd& mount);

// True when the file system there is one whose daemon has gone.
bool IsDead(const Target& target);

// Mounts `clone` over it.
core::Status MountOver(const Target& target, const core::Fd& clone);

// Puts `clone` in the place of the mount `target`. Where the kernel cannot do it without a moment
// of neither, the old mount stays below. Changes the calling thread's working directory.
core::Status ReplaceMount(const Target& target, const core::Fd& clone);

// Takes the mount `target` away; what is open goes on working. Changes the calling thread's working
// directory: a path of one part, taken from there, has no directory that a container could replace.
core::Status RemoveMount(const Target& target);

}  // namespace attach
