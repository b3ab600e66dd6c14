// SPDX-License-Identifier: Apache-2.0
// One process whose mount namespace is entered.
//
// Source: pidfd_open(2), setns(2), namespaces(7), mount_namespaces(7).
// Units:  none.
// Errors: ESRCH when it has ended; EPERM for a process in the caller's own mount namespace, which
//         is the host's; the errno of the system call otherwise.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attach/mount_table.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"

namespace attach {

class Process {
 public:
  // A pidfd keeps a later process of the same number from being taken for it.
  static core::Result<Process> Open(pid_t pid);

  // True when it has the caller's pid namespace, so that its /proc shows the host's processes.
  [[nodiscard]] core::Result<bool> SharesPids() const;
  // Of one of its namespaces, such as "ns/mnt".
  [[nodiscard]] std::optional<uint64_t> NamespaceInode(const char* name) const;
  // As it sees them.
  core::Result<std::vector<Mount>> ReadMounts(core::FileBuffer& buffer) const;
  // Text of /proc/<pid>/cgroup, valid until `buffer` is used again.
  core::Result<std::string_view> ReadCgroups(core::FileBuffer& buffer) const;

  // Moves the calling thread, which must be one of its own, into the process's mount namespace,
  // with `root` there as its root directory; "" is the process's own. It does not come back.
  [[nodiscard]] core::Status Enter(const std::string& root) const;

 private:
  Process(pid_t pid, core::Fd pidfd, core::Fd proc)
      : pid_(pid), pidfd_(std::move(pidfd)), proc_(std::move(proc)) {}

  [[nodiscard]] core::Result<bool> SharesNamespace(const char* name) const;
  [[nodiscard]] core::Status CheckIsAlive() const;

  pid_t pid_;
  core::Fd pidfd_;
  core::Fd proc_;  // /proc/<pid> of the host, which stays readable after Enter
};

}  // namespace attach
