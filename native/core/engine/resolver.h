// SPDX-License-Identifier: Apache-2.0
// From a caller's pid to the container root whose limits and usage it should see.
//
// Source: the project's contract for values, "Who is asking".
// Units:  start times in USER_HZ since boot.
// Errors: ESRCH or ENOENT when the caller is gone; those of reading /proc otherwise.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/init_finder.h"
#include "core/proc/namespace_cgroup.h"
#include "core/proc/pid.h"

namespace core::engine {

struct Identity {
  cgroup::CgroupPaths root;
  // Set when the pid namespace's init process lives in the root; otherwise the init process is
  // looked for in the root itself (InitFinder::Oldest).
  std::optional<InitProcess> init;
  // The caller is an ordinary process of the host: nothing but its cgroup sets it apart.
  bool is_host_process = false;
};

// What sets a caller apart. Two callers with equal traits have equal identities for as long as the
// init process of their pid namespace lives.
struct CallerTraits {
  uint64_t pid_namespace = 0;
  uint64_t cgroup_namespace = 0;  // 0: the kernel has none
  std::string cgroup_text;        // of /proc/<pid>/cgroup

  [[nodiscard]] std::string Key() const;
};

class Resolver {
 public:
  // Both must outlive the resolver.
  static Result<std::unique_ptr<Resolver>> Open(const proc::PidReader& pids,
                                                const cgroup::Hierarchy& hierarchy);

  // Three reads below /proc/<pid>.
  Result<CallerTraits> ReadTraits(pid_t pid, FileBuffer& buffer) const;
  // A few reads more; never forks, never takes a socket.
  Result<Identity> Resolve(pid_t pid, const CallerTraits& traits, FileBuffer& buffer) const;
  [[nodiscard]] const InitFinder& Inits() const { return inits_; }

 private:
  Resolver(const proc::PidReader& pids, const cgroup::Hierarchy& hierarchy)
      : pids_(pids), inits_(pids, hierarchy), namespace_cgroups_(pids), hierarchy_(hierarchy) {}

  Result<cgroup::CgroupPaths> ReadPaths(pid_t pid, FileBuffer& buffer) const;
  // Step 2 of the contract: the root of the caller's cgroup namespace, per controller.
  Result<cgroup::CgroupPaths> ReadNamespaceRoots(pid_t pid,
                                                 const CallerTraits& traits,
                                                 FileBuffer& buffer) const;
  // The same where the namespace cannot be entered, as a mount shows it.
  Result<cgroup::CgroupPaths> ReadMountedRoots(pid_t pid,
                                               const cgroup::CgroupPaths& own,
                                               FileBuffer& buffer) const;

  const proc::PidReader& pids_;
  const InitFinder inits_;
  const proc::NamespaceCgroups namespace_cgroups_;
  const cgroup::Hierarchy& hierarchy_;
  uint64_t host_pid_namespace_ = 0;
  uint64_t host_cgroup_namespace_ = 0;  // 0: the kernel has no cgroup namespaces
};

}  // namespace core::engine
