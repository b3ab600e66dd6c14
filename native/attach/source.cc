// SPDX-License-Identifier: Apache-2.0
#include "attach/source.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

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
using core::SystemError;

constexpr uint64_t kAttributes =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

Result<Fd> Clone(const std::string& path, uint64_t propagation) {
  Fd clone(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!clone.valid()) return SystemError("open", path);
  // The path's own file is not asked for before: a dead daemon must not get into a container.
  struct statfs status{};
  if (fstatfs(clone.get(), &status) != 0) return SystemError("open", path);
  mount_attr attributes{};
  attributes.attr_set = kAttributes;
  attributes.propagation = propagation;
  if (mount_setattr(clone.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return SystemError("set mount attributes", path);
  }
  return clone;
}

// A pinned directory lacks the files that do not fit into a page.
bool MayBePinned(std::string_view path) {
  const auto* const item = std::ranges::find(kItems, path, &Item::path);
  return item != kItems.end() && !item->is_directory;
}

}  // namespace

Result<Fd> CloneSource(const Places& places, std::string_view path) {
  if (places.view && MayBePinned(path)) {
    const std::string pinned = places.run_dir + "/mnt/pinned/" + *places.view + "/";
    auto clone = Clone(pinned + std::string(path), MS_PRIVATE);
    if (clone) return clone;
  }
  return Clone(places.tree + "/" + std::string(path), MS_SLAVE);
}

}  // namespace attach
