// SPDX-License-Identifier: Apache-2.0
#include "mounts/connection_mount.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace mounts {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

// Dead mounts can be stacked: each crash of a daemon without a successor leaves one.
constexpr int kStackedMountsMax = 64;

// Takes away mounts whose connection is aborted (ENOTCONN to every request).
Status ClearDeadMounts(const std::string& path) {
  for (int layer = 0; layer < kStackedMountsMax; ++layer) {
    // statfs always asks the daemon; attributes may still be cached.
    struct statfs status{};
    if (statfs(path.c_str(), &status) == 0 || errno != ENOTCONN) return Unit{};
    if (umount2(path.c_str(), MNT_DETACH) != 0) return SystemError("unmount dead mount", path);
  }
  return Unit{};
}

}  // namespace

Status CheckIsFree(const std::string& path) {
  struct stat own{};
  struct stat parent{};
  if (stat(path.c_str(), &own) != 0) return SystemError("stat", path);
  if (!S_ISDIR(own.st_mode)) {
    return Error{.errno_value = ENOTDIR, .operation = "mount", .path = path};
  }
  if (stat((path + "/..").c_str(), &parent) != 0) return SystemError("stat", path);
  // A bind of the same file system has the parent's device; it has files, or hides none.
  if (own.st_dev != parent.st_dev) {
    return Error{.errno_value = EBUSY, .operation = "mount", .path = path};
  }
  DIR* const dir = opendir(path.c_str());
  if (dir == nullptr) return SystemError("open", path);
  bool is_empty = true;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") is_empty = false;
  }
  closedir(dir);
  if (!is_empty) return Error{.errno_value = ENOTEMPTY, .operation = "mount", .path = path};
  return Unit{};
}

Result<Fd> MountConnection(const std::string& path, Access access) {
  const Status cleared = ClearDeadMounts(path);
  if (!cleared) return cleared.error();
  const Status is_free = CheckIsFree(path);
  if (!is_free) return is_free.error();
  Fd fd(open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return SystemError("open", "/dev/fuse");
  // Read-only where it can be: otherwise every read makes the kernel ask for the attributes again
  // (atime).
  const unsigned flags =
      MS_NOSUID | MS_NODEV | MS_NOEXEC | (access == Access::kReadOnly ? unsigned{MS_RDONLY} : 0);
  // default_permissions: the kernel checks modes, so that 0400 stays 0400 for other users.
  const std::string options =
      "fd=" + std::to_string(fd.get()) +
      ",rootmode=40755,user_id=0,group_id=0,allow_other,default_permissions";
  if (mount("lensfs", path.c_str(), "fuse.lensfs", flags, options.c_str()) != 0) {
    return SystemError("mount", path);
  }
  return fd;
}

Status Unmount(const std::string& path) {
  if (umount2(path.c_str(), MNT_DETACH) != 0) return SystemError("unmount", path);
  return Unit{};
}

}  // namespace mounts
