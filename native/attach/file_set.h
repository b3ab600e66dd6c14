// SPDX-License-Identifier: Apache-2.0
// What a container can be given, and the words people choose from it with.
//
// Source: native/core/catalog has the files; a directory here stands for all of them below it.
// Units:  none.
// Errors: EINVAL with the word that stands for nothing.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <string_view>

#include "core/base/result.h"

namespace attach {

struct Item {
  std::string_view path;   // below "/", such as "proc/meminfo"
  std::string_view group;  // the word for several: "cpu", "memory" or "io"
  bool is_directory = false;
};

// A mount for each, in this order: what lies in a directory comes after it.
inline constexpr std::array kItems = {
    Item{.path = "proc/cpuinfo", .group = "cpu"},
    Item{.path = "proc/diskstats", .group = "io"},
    Item{.path = "proc/loadavg", .group = "cpu"},
    Item{.path = "proc/meminfo", .group = "memory"},
    Item{.path = "proc/pressure/cpu", .group = "cpu"},
    Item{.path = "proc/pressure/io", .group = "io"},
    Item{.path = "proc/pressure/memory", .group = "memory"},
    Item{.path = "proc/slabinfo", .group = "memory"},
    Item{.path = "proc/stat", .group = "cpu"},
    Item{.path = "proc/swaps", .group = "memory"},
    Item{.path = "proc/uptime", .group = "cpu"},
    Item{.path = "proc/vmstat", .group = "memory"},
    Item{.path = "sys/devices/system/cpu", .group = "cpu", .is_directory = true},
    Item{.path = "sys/devices/system/cpu/online", .group = "cpu"},
    Item{.path = "sys/devices/system/cpu/possible", .group = "cpu"},
    Item{.path = "sys/devices/system/cpu/present", .group = "cpu"},
};

// By index in kItems.
using FileSet = std::bitset<kItems.size()>;

inline FileSet AllFiles() {
  return FileSet().set();
}

// "all", "off" (also "none" and ""), or words with commas between them: a group, "pressure", or a
// file such as "meminfo", "proc/meminfo" or "/proc/meminfo". Blanks around a word are ignored.
core::Result<FileSet> ParseFileSet(std::string_view text);

}  // namespace attach
