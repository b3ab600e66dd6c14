// SPDX-License-Identifier: Apache-2.0
// What a lookup and a listing give.
//
// Source: libfuse's low-level interface.
// Units:  seconds.
// Errors: none.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace fuse_layer {

// Names and attributes that never change.
inline constexpr double kForeverSeconds = 86400;

struct Attributes {
  struct stat stat{};
  double valid_seconds = kForeverSeconds;
};

struct Entry {
  uint64_t id = 0;
  Attributes attributes;
  double name_valid_seconds = kForeverSeconds;
};

struct DirectoryEntry {
  std::string name;
  struct stat stat{};  // st_ino and the type
};

inline DirectoryEntry MakeDirectoryEntry(std::string name, uint64_t id, mode_t type) {
  DirectoryEntry entry{.name = std::move(name)};
  entry.stat.st_ino = id;
  entry.stat.st_mode = type;
  return entry;
}

// "." and "..", with which every listing begins.
inline std::vector<DirectoryEntry> BeginListing(uint64_t id) {
  return {MakeDirectoryEntry(".", id, S_IFDIR), MakeDirectoryEntry("..", 1, S_IFDIR)};
}

}  // namespace fuse_layer
