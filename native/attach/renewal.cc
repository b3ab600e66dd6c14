// SPDX-License-Identifier: Apache-2.0
// What is done to mounts that are there: detach, repair, and a look at them.
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attach/attachment.h"
#include "attach/container_cgroup.h"
#include "attach/file_set.h"
#include "attach/judgement.h"
#include "attach/mount_table.h"
#include "attach/process.h"
#include "attach/propagation.h"
#include "attach/source.h"
#include "attach/target.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"

namespace attach {
namespace {

using core::Fd;
using core::FileBuffer;
using core::Result;
using core::Status;
using core::SystemError;

// A mount and the layers on it; more are no work of ours.
constexpr int kLayersMax = 256;

std::string Describe(const core::Error& error) {
  return std::string(strerrordesc_np(error.errno_value)) + ", " + error.operation + " " +
         error.path;
}

// The container's root directory, which the calling thread is in from now on.
Result<Fd> EnterRoot(const Process& process) {
  const Status entered = process.Enter("");
  if (!entered) return entered.error();
  return OpenRoot("/");
}

bool IsWanted(const FileSet& files, std::string_view path) {
  for (size_t index = 0; index < kItems.size(); ++index) {
    if (files.test(index) && kItems[index].path == path) return true;
  }
  return false;
}

Result<std::string> HostProcDevice() {
  struct stat status{};
  if (stat("/proc", &status) != 0) return SystemError("stat", "/proc");
  return std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
}

// The public tree shows the host's file while no daemon serves. A container that got it would not
// be found by a later repair.
bool IsHostFile(const Result<Fd>& source) {
  struct statfs status{};
  return source && fstatfs(source->get(), &status) == 0 &&
         (status.f_type == PROC_SUPER_MAGIC || status.f_type == SYSFS_MAGIC);
}

// A layer that shows the host's own file, which the public tree has while no daemon serves.
bool IsHostLayer(const Mount& mount, std::string_view host_proc) {
  return mount.type == "proc" && mount.device == host_proc && mount.root != "/";
}

}  // namespace

Result<Outcome> Detach(const Process& process, const FileSet& files) {
  FileBuffer buffer;
  auto mounts = process.ReadMounts(buffer);
  if (!mounts) return mounts.error();
  const auto host_proc = HostProcDevice();
  if (!host_proc) return host_proc.error();
  const auto root = EnterRoot(process);
  if (!root) return root.error();
  Outcome outcome;
  // What lies in a directory goes before it.
  for (auto mount = mounts->rbegin(); mount != mounts->rend(); ++mount) {
    if (mount->type != kLensfsType || !IsWanted(files, PathInView(mount->root))) continue;
    const std::string& path = mount->point;
    for (int layer = 0; layer < kLayersMax; ++layer) {
      const auto target = OpenTarget(*root, path);
      const Mount* const top = target ? FindMount(*mounts, target->mount_id) : nullptr;
      if (top == nullptr || top->point != path) break;
      if (top->type != kLensfsType && !IsHostLayer(*top, *host_proc)) {
        outcome.left.push_back({.path = path, .reason = "covered by " + top->type});
        break;
      }
      const Status removed = RemoveMount(*target);
      if (!removed) {
        outcome.left.push_back({.path = path, .reason = Describe(removed.error())});
        break;
      }
      if (layer == 0) outcome.done.push_back(path);
    }
  }
  return outcome;
}

Result<Outcome> Repair(const Process& process, const Places& places) {
  FileBuffer buffer;
  auto mounts = process.ReadMounts(buffer);
  if (!mounts) return mounts.error();
  const auto host_proc = HostProcDevice();
  if (!host_proc) return host_proc.error();
  const auto cgroup = ContainerCgroup::Find(process);
  Propagation propagation(&process);
  Sources sources(places);
  std::vector<std::pair<const Mount*, Result<Fd>>> candidates;
  for (const Mount& mount : *mounts) {
    const std::string_view path = PathInView(mount.root == "/" ? mount.point : mount.root);
    if (mount.type == kLensfsType && !path.empty()) {
      candidates.emplace_back(&mount, sources.Clone(path));
    } else if (IsHostLayer(mount, *host_proc)) {
      // Its root is a path in /proc.
      const std::string in_view = "proc" + mount.root;
      if (!IsWanted(AllFiles(), in_view)) continue;
      auto source = sources.Clone(in_view);
      if (IsHostFile(source)) continue;  // there is nothing newer yet
      if (source) candidates.emplace_back(&mount, std::move(source));
    }
  }
  Outcome outcome;
  if (candidates.empty()) return outcome;
  const auto root = EnterRoot(process);
  if (!root) return root.error();
  for (const auto& [mount, source] : candidates) {
    const auto target = OpenTarget(*root, mount->point);
    // Covered by a newer one: nobody sees it.
    if (target && target->mount_id != mount->id) continue;
    const bool is_ours = mount->type == kLensfsType;
    if (!target) {
      outcome.left.push_back({.path = mount->point, .reason = Describe(target.error())});
    } else if (is_ours && Judge(*mount, *target, cgroup) == Condition::kFine) {
      outcome.already.push_back(mount->point);
    } else if (!source) {
      outcome.left.push_back({.path = mount->point, .reason = Describe(source.error())});
    } else if (IsHostFile(source)) {
      outcome.left.push_back({.path = mount->point, .reason = "no daemon serves the tree now"});
    } else if (const auto reason = propagation.WhyNot(*target)) {
      outcome.left.push_back({.path = mount->point, .reason = *reason});
    } else if (const Status done = ReplaceMount(*target, *source); !done) {
      outcome.left.push_back({.path = mount->point, .reason = Describe(done.error())});
    } else {
      outcome.done.push_back(mount->point);
    }
  }
  return outcome;
}

Result<Outcome> Examine(const Process& process) {
  FileBuffer buffer;
  const auto mounts = process.ReadMounts(buffer);
  if (!mounts) return mounts.error();
  const auto cgroup = ContainerCgroup::Find(process);
  const auto root = EnterRoot(process);
  if (!root) return root.error();
  Outcome outcome;
  for (const Item& item : kItems) {
    const std::string path = std::string("/").append(item.path);
    const auto target = OpenTarget(*root, path);
    const Mount* const mount = target ? FindMount(*mounts, target->mount_id) : nullptr;
    if (mount == nullptr || mount->type != kLensfsType) continue;
    const Condition condition = Judge(*mount, *target, cgroup);
    if (condition == Condition::kFine) {
      outcome.already.push_back(path);
    } else {
      outcome.left.push_back({.path = path, .reason = std::string(ReasonOf(condition))});
    }
  }
  return outcome;
}

}  // namespace attach
