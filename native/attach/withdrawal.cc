// SPDX-License-Identifier: Apache-2.0
#include "attach/withdrawal.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attach/file_set.h"
#include "attach/mount_table.h"
#include "attach/process.h"
#include "attach/propagation.h"
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

// Index in kItems of what is at `point`, "/proc/meminfo"; its size for any other place.
size_t ItemAt(std::string_view point) {
  if (!point.starts_with('/')) return kItems.size();
  const auto* const item = std::ranges::find(kItems, point.substr(1), &Item::path);
  return static_cast<size_t>(item - kItems.begin());
}

bool IsOf(const Mount& mount, const Devices& devices) {
  return mount.type == kLensfsType && std::ranges::find(devices, mount.device) != devices.end();
}

// "/proc/meminfo" for any place of a file of that name; "" where the host has no such file.
std::string HostFile(const Mount& mount) {
  for (const Item& item : kItems) {
    const std::string path = std::string("/").append(item.path);
    if (mount.root.ends_with(path) || mount.point.ends_with(path)) return path;
  }
  return "";
}

Fd CloneHostFile(const Mount& mount) {
  const std::string path = HostFile(mount);
  if (path.empty()) return Fd();
  Fd clone(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  mount_attr attributes{};
  attributes.attr_set =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  attributes.propagation = MS_PRIVATE;
  if (!clone.valid() ||
      mount_setattr(clone.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return Fd();
  }
  return clone;
}

}  // namespace

Result<bool> HasMountOf(const Process& process, const Devices& devices) {
  FileBuffer buffer;
  const auto mounts = process.ReadMounts(buffer);
  if (!mounts) return mounts.error();
  return std::ranges::any_of(*mounts, [&](const Mount& mount) { return IsOf(mount, devices); });
}

Result<FileSet> Withdraw(const Process& process, const Devices& devices) {
  FileBuffer buffer;
  const auto mounts = process.ReadMounts(buffer);
  if (!mounts) return mounts.error();
  FileSet files;
  std::vector<std::pair<const Mount*, Fd>> found;
  // What lies in a directory goes before it.
  for (auto mount = mounts->rbegin(); mount != mounts->rend(); ++mount) {
    if (!IsOf(*mount, devices)) continue;
    const size_t item = ItemAt(mount->point);
    if (item < kItems.size()) files.set(item);
    found.emplace_back(&*mount, item < kItems.size() ? Fd() : CloneHostFile(*mount));
  }
  if (found.empty()) return files;
  Propagation propagation(&process);
  const Status entered = process.Enter("");
  if (!entered) return entered.error();
  const auto root = OpenRoot("/");
  if (!root) return root.error();
  for (const auto& [mount, host_file] : found) {
    const auto target = OpenTarget(*root, mount->point);
    // The host's file covers it already.
    if (!target || target->mount_id != mount->id) continue;
    if (host_file.valid()) {
      if (!propagation.WhyNot(*target)) (void)MountOver(*target, host_file);
    } else if (ItemAt(mount->point) < kItems.size()) {
      (void)RemoveMount(*target);
    }
  }
  return files;
}

}  // namespace attach
