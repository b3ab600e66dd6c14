// SPDX-License-Identifier: Apache-2.0
#include "attach/judgement.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "attach/container_cgroup.h"
#include "attach/mount_table.h"
#include "attach/target.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"

namespace attach {
namespace {

using core::cgroup::CgroupId;

constexpr std::string_view kViews = "/views/";

bool IsPathInView(std::string_view path) {
  return path == "proc" || path.starts_with("proc/") || path == "sys" || path.starts_with("sys/");
}

// The cgroup whose view the file shows; nullopt for a file that shows the view of its reader.
std::optional<CgroupId> CgroupOf(const Mount& mount, const Target& target) {
  if (mount.root == "/" || IsPathInView(mount.root.substr(1))) return std::nullopt;
  const bool is_shared = mount.root.starts_with(kViews);
  return core::cgroup::IdOfInodeNumber(is_shared ? target.inode & ~core::cgroup::kSharedMarker
                                                 : target.inode);
}

}  // namespace

std::string_view ReasonOf(Condition condition) {
  switch (condition) {
    case Condition::kFine:
      return "as it should be";
    case Condition::kDead:
      return "its daemon has gone";
    case Condition::kForeign:
      return "it is another cgroup's";
  }
  return "";
}

std::string_view PathInView(std::string_view root) {
  while (!root.empty()) {
    root.remove_prefix(1);
    if (IsPathInView(root)) return root;
    root.remove_prefix(std::min(root.find('/'), root.size()));
  }
  return {};
}

Condition Judge(const Mount& mount,
                const Target& target,
                const core::Result<ContainerCgroup>& cgroup) {
  if (IsDead(target)) return Condition::kDead;
  const auto whose = CgroupOf(mount, target);
  const bool is_at_its_place = mount.point == std::string("/").append(PathInView(mount.root));
  if (!whose || !is_at_its_place || !cgroup || !cgroup->Id()) return Condition::kFine;
  return cgroup->IsIn(*whose) ? Condition::kFine : Condition::kForeign;
}

}  // namespace attach
