// SPDX-License-Identifier: Apache-2.0
#include "attach/source.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "attach/file_set.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {
namespace {

using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

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
    const std::string pinned = places_.run_dir + "/mnt/pinned/" + *places_.view + "/";
    auto clone = CloneAt(pinned + std::string(path), MS_PRIVATE);
    if (clone) return clone;
  }
  return CloneAt(places_.tree + "/" + std::string(path), MS_SLAVE);
}

Result<Fd> Sources::CloneAt(const std::string& path, uint64_t propagation) {
  Fd clone(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!clone.valid()) return SystemError("open", path);
  const Status answers = CheckAnswers(clone, path);
  if (!answers) return answers.error();
  mount_attr attributes{};
  attributes.attr_set = kAttributes | (MayBeWritable(path) ? 0 : uint64_t{MOUNT_ATTR_RDONLY});
  attributes.propagation = propagation;
  if (mount_setattr(clone.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return SystemError("set mount attributes", path);
  }
  return clone;
}

// A path is found without asking anybody: a dead daemon must not get into a container.
Status Sources::CheckAnswers(const Fd& mount, const std::string& path) {
  struct statx status{};
  if (statx(mount.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) != 0) {
    return SystemError("stat", path);
  }
  const uint64_t device = makedev(status.stx_dev_major, status.stx_dev_minor);
  if (std::ranges::find(answering_, device) != answering_.end()) return Unit{};
  struct statfs file_system{};
  if (fstatfs(mount.get(), &file_system) != 0) return SystemError("open", path);
  answering_.push_back(device);
  return Unit{};
}

}  // namespace attach
