// SPDX-License-Identifier: Apache-2.0
// What kind of mount a place in the container is on.
//
// Source: statfs(2); proc(5), /proc/<pid>/mountinfo, which the kernel takes long to write.
// Units:  none.
// Errors: none; a mount that cannot be found has a type that nothing else has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "attach/process.h"
#include "attach/target.h"

namespace attach {

// Knows each mount that it was asked for once.
class MountTypes {
 public:
  // Without a process it is the caller's own mounts.
  explicit MountTypes(const Process* process) : process_(process) {}

  // Such as "proc" or "fuse.lensfs".
  const std::string& Of(const Target& target);

  void Learn(uint64_t mount_id, std::string_view type) { types_[mount_id] = type; }

 private:
  void ReadAll();

  const Process* process_;
  std::unordered_map<uint64_t, std::string> types_;
};

}  // namespace attach
