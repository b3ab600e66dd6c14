// SPDX-License-Identifier: Apache-2.0
// The only way to a cgroup's directory and files by their path, which a client may have named.
//
// Source: openat2(2), Linux 5.6: the path stays below the hierarchy's root and in its file system,
//         and no link is followed. O_NONBLOCK: what would wait for another process, as a FIFO does,
//         does not.
// Units:  none.
// Errors: ENOENT for what is no cgroup's path, EXDEV or ELOOP for one that leads elsewhere; ENOSYS
//         on a kernel that is too old; the errno of openat2 otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core::cgroup {

// `path` is absolute in the hierarchy whose root is `root_fd`, such as "/docker/0a1b" or
// "/docker/0a1b/memory.max"; `flags` are those of open(2).
Result<Fd> OpenBelow(int root_fd, const std::string& path, uint64_t flags);

// The same with a path relative to a directory of a hierarchy: "./a/b".
Result<Fd> OpenBelowDirectory(int dir_fd, const char* path, uint64_t flags);

// Whether the kernel can.
bool CanOpenBelow(int root_fd);

// Whether it is in a file system of cgroups.
bool IsCgroupFileSystem(int fd);

}  // namespace core::cgroup
