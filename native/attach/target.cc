// SPDX-License-Identifier: Apache-2.0
#include "attach/target.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

// linux/mount.h has it since 6.5, and cannot be included together with sys/mount.h.
constexpr unsigned kMoveMountBeneath = 0x00000200;

constexpr int kAskNobody = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;

Status Move(const Target& target, const Fd& clone, unsigned flags) {
  constexpr unsigned kByDescriptor = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (move_mount(clone.get(), "", target.fd.get(), "", kByDescriptor | flags) != 0) {
    return SystemError("mount", "");
  }
  return Unit{};
}

Result<Fd> OpenBelow(const Fd& directory, const std::string& path, uint64_t flags) {
  open_how how{};
  how.flags = flags | O_PATH | O_CLOEXEC | O_NOFOLLOW;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;
  Fd fd(static_cast<int>(syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how)));
  if (!fd.valid()) return SystemError("open", path);
  return fd;
}

// With `fd`, what is there now.
Status LookAt(Target& target) {
  struct statx status{};
  if (statx(target.fd.get(), "", kAskNobody, STATX_MNT_ID | STATX_INO, &status) != 0) {
    return SystemError("stat", target.name);
  }
  target.mount_id = status.stx_mnt_id;
  target.is_mount_point = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  target.device = makedev(status.stx_dev_major, status.stx_dev_minor);
  target.inode = status.stx_ino;
  return Unit{};
}

}  // namespace

Result<Fd> OpenRoot(const std::string& path) {
  Fd root(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return SystemError("open", path);
  return root;
}

Result<Target> OpenTarget(const Fd& root, std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  const size_t slash = path.rfind('/');
  const bool is_deep = slash != std::string_view::npos;
  Target target;
  target.name = is_deep ? path.substr(slash + 1) : path;
  auto parent = OpenBelow(root, is_deep ? std::string(path.substr(0, slash)) : ".", O_DIRECTORY);
  if (!parent) return parent.error();
  target.parent = std::move(*parent);
  auto fd = OpenBelow(target.parent, target.name, 0);
  if (!fd)
    return Error{.errno_value = fd.error().errno_value,
                 .operation = "open",
                 .path = std::string("/").append(path)};
  target.fd = std::move(*fd);
  const Status seen = LookAt(target);
  if (!seen) return seen.error();
  return target;
}

Result<uint64_t> MountIdOf(const Fd& mount) {
  struct statx status{};
  if (statx(mount.get(), "", kAskNobody, STATX_MNT_ID, &status) != 0)
    return SystemError("stat", "");
  return status.stx_mnt_id;
}

bool IsDead(const Target& target) {
  struct statfs status{};
  return fstatfs(target.fd.get(), &status) != 0 && errno == ENOTCONN;
}

Status MountOver(const Target& target, const Fd& clone) {
  return Move(target, clone, 0);
}

Status ReplaceMount(const Target& target, const Fd& clone) {
  if (!Move(target, clone, kMoveMountBeneath)) return Move(target, clone, 0);
  return RemoveMount(target);
}

Status RemoveMount(const Target& target) {
  Target now;
  now.name = target.name;
  auto fd = OpenBelow(target.parent, target.name, 0);
  if (!fd) return fd.error();
  now.fd = std::move(*fd);
  const Status seen = LookAt(now);
  if (!seen) return seen.error();
  if (now.mount_id != target.mount_id || !now.is_mount_point) {
    return Error{.errno_value = EAGAIN, .operation = "unmount", .path = target.name};
  }
  if (fchdir(target.parent.get()) != 0) return SystemError("enter", "the parent of " + target.name);
  if (umount2(target.name.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) {
    return SystemError("unmount", target.name);
  }
  return Unit{};
}

}  // namespace attach
