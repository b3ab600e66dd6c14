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
#include <cstdint>
#include <string>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {
namespace {

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

}  // namespace

Result<Target> OpenTarget(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Target target;
  target.fd = Fd(static_cast<int>(syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
  if (!target.fd.valid()) return SystemError("open", path);
  struct statx status{};
  if (statx(target.fd.get(), "", kAskNobody, STATX_MNT_ID, &status) != 0) {
    return SystemError("stat", path);
  }
  target.mount_id = status.stx_mnt_id;
  target.is_mount_point = (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  target.device = makedev(status.stx_dev_major, status.stx_dev_minor);
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

Status ReplaceMount(const std::string& path, const Target& target, const Fd& clone) {
  if (!Move(target, clone, kMoveMountBeneath)) return Move(target, clone, 0);
  return RemoveMount(path);
}

Status RemoveMount(const std::string& path) {
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) return SystemError("unmount", path);
  return Unit{};
}

}  // namespace attach
