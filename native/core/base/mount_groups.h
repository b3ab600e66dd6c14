// SPDX-License-Identifier: Apache-2.0
// The peer groups of all mounts of a mount namespace, without their names: of these a container may
// have 100,000, each of 4,096 bytes.
//
// Source: listmount(2) and statmount(2) of another namespace (Linux 6.11).
// Units:  none.
// Errors: errno of the calls; EFBIG for more mounts than are looked at.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core {

struct MountGroups {
  uint64_t id = 0;
  uint64_t parent = 0;
  uint64_t shared = 0;  // its peer group; 0: none
  uint64_t master = 0;  // the peer group it follows; 0: none
};

// `mount_namespace` is an open /proc/<pid>/ns/mnt.
Result<std::vector<MountGroups>> ListMountGroups(const Fd& mount_namespace);

}  // namespace core
