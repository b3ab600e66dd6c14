// SPDX-License-Identifier: Apache-2.0
// The cgroups of a container, from its first process and the directories that have the names.
//
// Source: cgroups(7), /proc/<pid>/cgroup; core/cgroup/cgroup_id.h. A name may have been another
//         cgroup's a moment ago, and may be again: only the id of the directory says which it is.
// Units:  none.
// Errors: ENOENT for a process in the root cgroup, which is the host's; EAGAIN when it was moved
//         meanwhile; the errno of open or read otherwise.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "attach/process.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"

namespace attach {

class ContainerCgroup {
 public:
  static constexpr const char* kRoot = "/sys/fs/cgroup";

  // Of the process whose text of /proc/<pid>/cgroup is given: lines such as
  // "4:memory:/docker/0a1b" or "0::/system.slice/docker-0a1b.scope", as the host sees them.
  static core::Result<ContainerCgroup> Find(std::string_view text, const std::string& root = kRoot);
  // The same, of a process that is in them before and after.
  static core::Result<ContainerCgroup> Find(const Process& process);

  // Whose view the container has. systemd in a container moves itself to a cgroup below its own.
  [[nodiscard]] core::Result<core::cgroup::CgroupId> Id() const;
  // The name of that view in the trees.
  [[nodiscard]] std::string ViewName() const;
  // Whether it is in that cgroup, or in one below it.
  [[nodiscard]] bool IsIn(core::cgroup::CgroupId id) const;

 private:
  // The first of its controllers, and its path there; "" for the host's root.
  [[nodiscard]] std::pair<core::cgroup::Controller, std::string_view> Primary() const;

  ContainerCgroup(core::cgroup::Hierarchy hierarchy, core::cgroup::CgroupPaths paths)
      : hierarchy_(std::move(hierarchy)), paths_(std::move(paths)) {}

  core::cgroup::Hierarchy hierarchy_;
  core::cgroup::CgroupPaths paths_;
};

}  // namespace attach
