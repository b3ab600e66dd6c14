// SPDX-License-Identifier: Apache-2.0
// A process's cgroups as its own cgroup namespace names them, which says where that namespace's
// root is. Costs the same whatever the process has mounted; its mounts show the same roots, but
// there may be 100,000 of them with names of 4,096 bytes.
//
// Source: cgroup_namespaces(7): /proc/<pid>/cgroup is relative to the reader's namespace; setns(2)
//         with CLONE_NEWCGROUP moves the calling thread alone.
// Units:  none.
// Errors: errno of opening, EPERM of setns; ESRCH when the process has another namespace by now.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/proc/pid.h"

namespace core::proc {

class NamespaceCgroups {
 public:
  // Without a namespace to come back to, or a kernel that has them, every Read() fails.
  explicit NamespaceCgroups(const PidReader& pids);

  // The text of /proc/<pid>/cgroup in the cgroup namespace `inode`, which is that of `pid`.
  [[nodiscard]] Result<std::string_view> Read(pid_t pid, uint64_t inode, FileBuffer& buffer) const;

 private:
  const PidReader& pids_;
  Fd own_;
};

}  // namespace core::proc
