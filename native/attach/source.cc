// SPDX-License-Identifier: Apache-2.0
#include "attach/source.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "attach/file_set.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"

namespace attach {
namespace {

using core::Fd;
using core::Result;
using core::SystemError;

constexpr uint64_t kAttributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

// A pinned directory lacks the files that do not fit into a page.
bool MayBePinned(std::string_view path) {
  const auto* const item = std::ranges::find(kItems, path, &Item::path);
  return item != kItems.end() && !item->is_directory;
}

// What the tree has of pressure files is read-only but where programs may write triggers.
bool MayBeWritable(std::string_view path) {
  return path.find("/proc/pressure/") != std::string_view::npos;
}

}  // namespace

Result<Fd> Sources::Clone(std::string_view path) {
  if (places_.view && MayBePinned(path)) {
    auto clone = ClonePinned(*places_.view, path);
    if (clone) return clone;
  }
  auto found = CloneAt(places_.tree + "/" + std::string(path), MS_SLAVE);
  if (!found) return found.error();
  return std::move(found->mount);
}

Result<Fd> Sources::ClonePinned(const ViewPlace& view, std::string_view path) {
  const std::string views = places_.run_dir + "/mnt/pinned/";
  const std::string pinned = views + core::cgroup::NameOfId(view.cgroup) + "/" + std::string(path);
  auto found = CloneAt(pinned, MS_PRIVATE);
  if (!found && core::IsMissing(found.error()) && !has_asked_by_name_ && !view.name.empty()) {
    has_asked_by_name_ = true;
    struct stat status{};
    if (lstat((views + view.name).c_str(), &status) == 0) found = CloneAt(pinned, MS_PRIVATE);
  }
  if (!found) return found.error();
  if (core::cgroup::IdOfInodeNumber(found->inode) == view.cgroup) return std::move(found->mount);
  return core::Error{.errno_value = ESTALE, .operation = "use", .path = pinned};
}

Result<Sources::Found> Sources::CloneAt(const std::string& path, uint64_t propagation) {
  Fd clone(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!clone.valid()) return SystemError("open", path);
  const auto inode = CheckAnswers(clone, path);
  if (!inode) return inode.error();
  mount_attr attributes{};
  attributes.attr_set = kAttributes | (MayBeWritable(path) ? 0 : uint64_t{MOUNT_ATTR_RDONLY});
  attributes.propagation = propagation;
  if (mount_setattr(clone.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return SystemError("set mount attributes", path);
  }
  return Found{.mount = std::move(clone), .inode = *inode};
}

// Gives the inode number. A path is found without asking anybody: a dead daemon must not get into a
// container.
Result<uint64_t> Sources::CheckAnswers(const Fd& mount, const std::string& path) {
  struct statx status{};
  if (statx(mount.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &status) != 0) {
    return SystemError("stat", path);
  }
  const uint64_t device = makedev(status.stx_dev_major, status.stx_dev_minor);
  if (std::ranges::find(answering_, device) != answering_.end()) return uint64_t{status.stx_ino};
  struct statfs file_system{};
  if (fstatfs(mount.get(), &file_system) != 0) return SystemError("open", path);
  answering_.push_back(device);
  return uint64_t{status.stx_ino};
}

}  // namespace attach
