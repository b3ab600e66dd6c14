// SPDX-License-Identifier: Apache-2.0
#include "core/engine/resolver.h"

#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/init_finder.h"
#include "core/proc/pid.h"

namespace core::engine {
namespace {

using cgroup::CgroupPaths;
using cgroup::Controller;
using cgroup::Version;

// systemd in a container moves itself into this child of the container root.
constexpr std::string_view kInitScope = "/init.scope";

CgroupPaths WithoutInitScope(const CgroupPaths& paths) {
  CgroupPaths stripped;
  for (const Controller controller : cgroup::kControllers) {
    std::string_view path = paths.Of(controller);
    if (path.ends_with(kInitScope)) path.remove_suffix(kInitScope.size());
    stripped.Set(controller, path.empty() && !paths.Of(controller).empty() ? "/" : path);
  }
  return stripped;
}

// Where `own` is not at or below `root`, the caller's own cgroup is its root: a pod whose
// containers share one pid namespace, but not one cgroup.
CgroupPaths RootOrOwn(const CgroupPaths& root, const CgroupPaths& own) {
  for (const Controller controller : cgroup::kControllers) {
    if (own.Of(controller).empty()) continue;
    if (!cgroup::IsAtOrBelow(own.Of(controller), root.Of(controller))) return own;
  }
  return root;
}

bool ListHas(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (TakeUntil(options, ',') == wanted) return true;
  }
  return false;
}

// Of pid 1, or where that is not ours to look at (a security module, a lesser user) our own.
Result<uint64_t> ReadHostNamespace(const proc::PidReader& pids, proc::Namespace which) {
  auto inode = pids.ReadNamespace(1, which);
  return inode ? inode : pids.ReadOwnNamespace(which);
}

}  // namespace

Result<std::unique_ptr<Resolver>> Resolver::Open(const proc::PidReader& pids,
                                                 const cgroup::Hierarchy& hierarchy) {
  std::unique_ptr<Resolver> resolver(new Resolver(pids, hierarchy));
  const auto pid_namespace = ReadHostNamespace(pids, proc::Namespace::kPid);
  if (!pid_namespace) return pid_namespace.error();
  resolver->host_pid_namespace_ = *pid_namespace;
  const auto cgroup_namespace = ReadHostNamespace(pids, proc::Namespace::kCgroup);
  if (cgroup_namespace) resolver->host_cgroup_namespace_ = *cgroup_namespace;
  return resolver;
}

Result<CgroupPaths> Resolver::ReadPaths(pid_t pid, FileBuffer& buffer) const {
  const auto text = pids_.ReadText(pid, "cgroup", buffer);
  if (!text) return text.error();
  return hierarchy_.ParsePaths(*text);
}

// The namespace's root is what the caller's path has more here than there. The text is read again
// at the end: a caller that has moved meanwhile would be given another root.
Result<CgroupPaths> Resolver::ReadNamespaceRoots(pid_t pid,
                                                 const CallerTraits& traits,
                                                 FileBuffer& buffer) const {
  const CgroupPaths own = hierarchy_.ParsePaths(traits.cgroup_text);
  const auto text = namespace_cgroups_.Read(pid, traits.cgroup_namespace, buffer);
  if (!text) return ReadMountedRoots(pid, own, buffer);
  const CgroupPaths inside = hierarchy_.ParsePaths(*text);
  const auto again = pids_.ReadText(pid, "cgroup", buffer);
  if (!again) return again.error();
  CgroupPaths roots;
  if (*again != traits.cgroup_text) return roots;
  for (const Controller controller : cgroup::kControllers) {
    std::string_view root = own.Of(controller);
    const std::string_view path = inside.Of(controller);
    if (path.empty() || (path != "/" && !root.ends_with(path))) continue;
    if (path != "/") root.remove_suffix(path.size());
    // Everybody is below the host's root: such a namespace says nothing.
    if (!root.empty() && root != "/") roots.Set(controller, root);
  }
  return roots;
}

Result<CgroupPaths> Resolver::ReadMountedRoots(pid_t pid,
                                               const CgroupPaths& own,
                                               FileBuffer& buffer) const {
  const auto text = pids_.ReadMountInfo(pid, buffer);
  if (!text) return text.error();
  CgroupPaths roots;
  for (const proc::CgroupMount& mount : proc::ParseCgroupMounts(*text)) {
    // "/" is a mount that came from outside the namespace; a bind of a child is below the root.
    if (mount.root == "/") continue;
    for (const Controller controller : cgroup::kControllers) {
      const Version version = hierarchy_.VersionOf(controller);
      const bool matches = mount.is_v2 ? version == Version::kV2
                                       : version == Version::kV1 &&
                                             ListHas(mount.super_options, NameInV1(controller));
      if (!matches || !cgroup::IsAtOrBelow(own.Of(controller), mount.root)) continue;
      const std::string& found = roots.Of(controller);
      if (found.empty() || mount.root.size() < found.size()) roots.Set(controller, mount.root);
    }
  }
  return roots;
}

std::string CallerTraits::Key() const {
  return std::to_string(pid_namespace) + ' ' + std::to_string(cgroup_namespace) + '\n' +
         cgroup_text;
}

Result<CallerTraits> Resolver::ReadTraits(pid_t pid, FileBuffer& buffer) const {
  if (pid <= 0) return Error{.errno_value = ESRCH, .operation = "resolve", .path = "pid 0"};
  const auto pid_namespace = pids_.ReadNamespace(pid, proc::Namespace::kPid);
  if (!pid_namespace) return pid_namespace.error();
  const auto cgroup_namespace = pids_.ReadNamespace(pid, proc::Namespace::kCgroup);
  const auto text = pids_.ReadText(pid, "cgroup", buffer);
  if (!text) return text.error();
  return CallerTraits{.pid_namespace = *pid_namespace,
                      .cgroup_namespace = cgroup_namespace ? *cgroup_namespace : 0,
                      .cgroup_text = std::string(*text)};
}

Result<Identity> Resolver::Resolve(pid_t pid,
                                   const CallerTraits& traits,
                                   FileBuffer& buffer) const {
  const CgroupPaths own = hierarchy_.ParsePaths(traits.cgroup_text);
  const bool own_cgroup_namespace = host_cgroup_namespace_ != 0 && traits.cgroup_namespace != 0 &&
                                    traits.cgroup_namespace != host_cgroup_namespace_;
  const bool own_pid_namespace = traits.pid_namespace != host_pid_namespace_;
  if (!own_cgroup_namespace && !own_pid_namespace) {
    return Identity{.root = own, .init = std::nullopt, .is_host_process = true};
  }

  // What the pid namespace's init process says; a caller in the host's has only its own cgroup.
  CgroupPaths init_paths = own;
  CgroupPaths root = own;
  std::optional<InitProcess> init;
  if (own_pid_namespace) {
    const auto found = inits_.OfNamespace(pid, traits.pid_namespace, own, buffer);
    if (!found) return found.error();
    init = *found;
    const auto paths = ReadPaths(found->pid, buffer);
    if (!paths) return paths.error();
    init_paths = WithoutInitScope(*paths);
    root = RootOrOwn(init_paths, own);
  }
  if (own_cgroup_namespace) {
    const auto roots = ReadNamespaceRoots(pid, traits, buffer);
    if (!roots) return roots.error();
    for (const Controller controller : cgroup::kControllers) {
      if (!roots->Of(controller).empty()) root.Set(controller, roots->Of(controller));
    }
  }
  for (const Controller controller : cgroup::kControllers) {
    if (!init || root.Of(controller).empty()) continue;
    if (!cgroup::IsAtOrBelow(init_paths.Of(controller), root.Of(controller))) init.reset();
  }
  return Identity{.root = root, .init = init, .is_host_process = false};
}

}  // namespace core::engine
