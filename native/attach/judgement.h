// SPDX-License-Identifier: Apache-2.0
// Whether a file that a container has is as it should be: what repair acts on and doctor tells.
//
// Source: statfs(2); the inode numbers of core/cgroup/cgroup_id.h.
// Units:  none.
// Errors: none.
#pragma once

#include <cstdint>
#include <string_view>

#include "attach/container_cgroup.h"
#include "attach/mount_table.h"
#include "attach/target.h"
#include "core/base/result.h"

namespace attach {

enum class Condition : uint8_t {
  kFine,
  kDead,     // its daemon has gone
  kForeign,  // it is another cgroup's, which may be gone
};

// For people: what is wrong.
std::string_view ReasonOf(Condition condition);

// "proc/meminfo" of the roots "/proc/meminfo", "/=cpu=47/proc/meminfo" and
// "/views/docker=0a1b/proc/meminfo"; "" of what is no part of a view.
std::string_view PathInView(std::string_view root);

// `mount` is the one that `target` shows. A file that is mounted elsewhere than at its own place
// may be another cgroup's on purpose; without a cgroup nothing is foreign.
Condition Judge(const Mount& mount,
                const Target& target,
                const core::Result<ContainerCgroup>& cgroup);

}  // namespace attach
