// SPDX-License-Identifier: Apache-2.0
#include "mounts/layer.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "mounts/connection_mount.h"

namespace mounts {
namespace {

using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

constexpr uint64_t kLayerFlags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
// linux/mount.h has it since 6.5, and cannot be included together with sys/mount.h.
constexpr unsigned kMoveMountBeneath = 0x00000200;

Status Attach(const Fd& layer, const std::string& path, unsigned flags) {
  if (move_mount(layer.get(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH | flags) != 0) {
    return SystemError("mount", path);
  }
  return Unit{};
}

}  // namespace

Fd CloneMount(const std::string& path) {
  return Fd(open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
}

Result<Fd> MakeLayer(const std::string& source, Access access) {
  Fd layer = CloneMount(source);
  if (!layer.valid()) return SystemError("open", source);
  // Private: the copy of a shared mount would pass on to its source what is stacked on it later.
  mount_attr attributes{};
  attributes.attr_set = kLayerFlags;
  if (access == Access::kReadOnly) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  attributes.propagation = MS_PRIVATE;
  if (mount_setattr(layer.get(), "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return SystemError("restrict", source);
  }
  return layer;
}

Status PutOnTop(const Fd& layer, const std::string& path) {
  return Attach(layer, path, 0);
}

Status PutBeneathTop(const Fd& layer, const std::string& path) {
  return Attach(layer, path, kMoveMountBeneath);
}

Result<Shown> ShownBy(const Fd& layer) {
  struct statx status{};
  constexpr int kFlags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (statx(layer.get(), "", kFlags, STATX_INO, &status) != 0) return SystemError("stat", "layer");
  return Shown{
      .device = std::to_string(status.stx_dev_major) + ":" + std::to_string(status.stx_dev_minor),
      .inode = status.stx_ino};
}

Result<Shown> ShownAt(const std::string& path) {
  const Fd top(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!top.valid()) return SystemError("open", path);
  return ShownBy(top);
}

}  // namespace mounts
