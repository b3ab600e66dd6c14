// SPDX-License-Identifier: Apache-2.0
// The init process of a container: pid 1 of a pid namespace, or a cgroup's oldest.
//
// A container decides how many processes there are to look through, so each search has a limit.
//
// Source: pid_namespaces(7); proc(5).
// Units:  start times in USER_HZ since boot.
// Errors: ESRCH when the process is gone or is not found; those of reading /proc otherwise.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/proc/pid.h"

namespace core::engine {

struct InitProcess {
  pid_t pid = 0;           // as a pid of ours
  uint64_t starttime = 0;  // USER_HZ since boot: with the pid it names the process for ever
  size_t pid_level = 0;    // which number of its NSpid line is the container's own
};

class InitFinder {
 public:
  // Both must outlive the finder.
  InitFinder(const proc::PidReader& pids, const cgroup::Hierarchy& hierarchy)
      : pids_(pids), hierarchy_(hierarchy) {}

  // Pid 1 of `pid_namespace`, in which `pid` is; `own` are the cgroups of `pid`.
  Result<InitProcess> OfNamespace(pid_t pid,
                                  uint64_t pid_namespace,
                                  const cgroup::CgroupPaths& own,
                                  FileBuffer& buffer) const;

  // The oldest process directly in `dir`; with `namespace_init` the oldest that is pid 1 of a pid
  // namespace below ours. The host's pid 1 when there is none. Of very many processes
  // only those with the lowest numbers are looked at.
  Result<InitProcess> Oldest(const cgroup::CgroupDir* dir,
                             bool namespace_init,
                             FileBuffer& buffer) const;

 private:
  Result<InitProcess> Read(pid_t pid, FileBuffer& buffer) const;
  [[nodiscard]] bool IsIn(pid_t candidate, uint64_t pid_namespace) const;
  bool IsPidOne(pid_t candidate, FileBuffer& buffer) const;
  std::optional<pid_t> FindAncestor(pid_t pid, uint64_t pid_namespace, FileBuffer& buffer) const;
  std::optional<pid_t> FindInCgroup(const cgroup::CgroupPaths& own,
                                    uint64_t pid_namespace,
                                    FileBuffer& buffer) const;
  std::optional<pid_t> FindAnywhere(uint64_t pid_namespace, FileBuffer& buffer) const;

  const proc::PidReader& pids_;
  const cgroup::Hierarchy& hierarchy_;
};

}  // namespace core::engine
