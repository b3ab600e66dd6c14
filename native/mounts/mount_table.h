// SPDX-License-Identifier: Apache-2.0
// What is mounted where, in this mount namespace.
//
// Source: proc(5), /proc/self/mountinfo:
//         36 35 98:0 /root /mnt/point rw,noatime shared:1 - ext4 /dev/sda rw
// Units:  none.
// Errors: errno of reading the file; lines that are no mounts are skipped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mounts {

struct Mount {
  std::string device;  // "98:0": equal for all mounts of one file system
  std::string path;    // octal escapes are undone
  std::string type;
  std::string source;
};

// In the order of mounting: what is on top of a path comes last.
std::vector<Mount> ParseMountTable(std::string_view text);

core::Result<std::vector<Mount>> ReadMountTable();

// The one on top of `path`; null when nothing is mounted there. Valid as long as the table.
const Mount* FindTop(const std::vector<Mount>& table, std::string_view path);

}  // namespace mounts
