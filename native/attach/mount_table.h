// SPDX-License-Identifier: Apache-2.0
// Mounts of a process.
//
// Source: proc(5), /proc/<pid>/mountinfo; fs/proc_namespace.c: show_mountinfo (Linux 6.18).
// Units:  none.
// Errors: the errno of open or read; a line that is not the kernel's is skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"

namespace attach {

struct Mount {
  uint64_t id = 0;
  uint64_t parent = 0;  // the mount that it is on
  std::string device;   // "major:minor"
  std::string root;     // what of the file system is shown, such as "/meminfo"
  std::string point;    // where, as the process sees it
  uint64_t peers = 0;   // its peer group; 0 when it is not shared
  std::string type;     // such as "proc" or "fuse.lensfs"
};

inline constexpr std::string_view kLensfsType = "fuse.lensfs";
inline constexpr std::string_view kLxcfsType = "fuse.lxcfs";

// In the kernel's order. One line: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root
// rw".
std::vector<Mount> ParseMounts(std::string_view text);

// The calling process's.
core::Result<std::vector<Mount>> ReadOwnMounts(core::FileBuffer& buffer);

// The mount with this id; null when there is none.
const Mount* FindMount(const std::vector<Mount>& mounts, uint64_t id);

}  // namespace attach
