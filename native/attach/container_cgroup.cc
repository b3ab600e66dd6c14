// SPDX-License-Identifier: Apache-2.0
#include "attach/container_cgroup.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "attach/process.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/view_name.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"

namespace attach {
namespace {

using core::Error;
using core::Result;
using core::cgroup::CgroupId;
using core::cgroup::Controller;
using core::cgroup::Hierarchy;

constexpr std::string_view kInitScope = "/init.scope";
constexpr size_t kCgroupBytes = 4096;

std::string_view WithoutInitScope(std::string_view path) {
  if (path.ends_with(kInitScope)) path.remove_suffix(kInitScope.size());
  return path;
}

}  // namespace

Result<ContainerCgroup> ContainerCgroup::Find(std::string_view text, const std::string& root) {
  auto hierarchy = Hierarchy::Detect(root);
  if (!hierarchy) return hierarchy.error();
  auto paths = hierarchy->ParsePaths(text);
  return ContainerCgroup(std::move(*hierarchy), std::move(paths));
}

Result<ContainerCgroup> ContainerCgroup::Find(const Process& process) {
  core::FileBuffer buffer(kCgroupBytes);
  const auto text = process.ReadCgroups(buffer);
  if (!text) return text.error();
  const std::string before(*text);
  auto found = Find(before);
  if (!found) return found;
  const auto id = found->Id();
  // Its cgroups cannot be removed while it is in them, so that what was opened in between is
  // theirs.
  const auto after = process.ReadCgroups(buffer);
  if (!after) return after.error();
  const auto id_after = found->Id();
  if (*after != before || !id || !id_after || *id != *id_after) {
    if (!id) return id.error();
    return Error{.errno_value = EAGAIN, .operation = "find the cgroup of", .path = "a process"};
  }
  return found;
}

std::pair<Controller, std::string_view> ContainerCgroup::Primary() const {
  for (const Controller controller : core::cgroup::kPrimaryOrder) {
    const std::string_view path = WithoutInitScope(paths_.Of(controller));
    // "/.." leads out of the reader's own namespace.
    if (path.size() > 1 && !path.starts_with("/..")) return {controller, path};
  }
  return {Controller::kUnified, ""};
}

Result<CgroupId> ContainerCgroup::Id() const {
  const auto [controller, path] = Primary();
  if (path.empty()) {
    return Error{.errno_value = ENOENT, .operation = "find the cgroup of", .path = "a process"};
  }
  const auto inode = core::cgroup::ReadCgroupId(hierarchy_.RootFd(controller), std::string(path));
  if (!inode) return inode.error();
  return CgroupId{.controller = controller, .inode = *inode};
}

std::string ContainerCgroup::ViewName() const {
  return core::ViewNameOf(Primary().second);
}

bool ContainerCgroup::IsIn(CgroupId id) const {
  std::string_view path = paths_.Of(id.controller);
  for (; path.size() > 1 && !path.starts_with("/.."); path = core::cgroup::ParentOf(path)) {
    const auto inode =
        core::cgroup::ReadCgroupId(hierarchy_.RootFd(id.controller), std::string(path));
    if (inode && *inode == id.inode) return true;
  }
  return false;
}

}  // namespace attach
