// SPDX-License-Identifier: Apache-2.0
// What is mounted where, in this mount namespace.
//
// Source: proc(5), /proc/self/mountinfo:
//         36 35 98:0 /root /mnt/point rw,noatime shared:1 - ext4 /dev/sda rw
// Units:  none.
// Errors: errno of reading the file; lines that are no mounts are skipped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace mounts {

struct Mount {
  uint64_t id = 0;
  uint64_t parent = 0;
  uint64_t shared = 0;  // its peer group; 0: none
  uint64_t master = 0;  // the peer group it follows; 0: none
  std::string device;   // "98:0": equal for all mounts of one file system
  std::string path;     // octal escapes are undone
  std::string type;
  std::string source;
};

// In the order of mounting.
std::vector<Mount> ParseMountTable(std::string_view text);

core::Result<std::vector<Mount>> ReadMountTable();

// What is mounted at `path`, from the lowest to the one on top. Valid as long as the table.
std::vector<const Mount*> FindStack(const std::vector<Mount>& table, std::string_view path);

// The one on top of `path`; null when nothing is mounted there. Valid as long as the table.
const Mount* FindTop(const std::vector<Mount>& table, std::string_view path);

}  // namespace mounts
