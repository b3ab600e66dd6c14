// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/open_below.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::cgroup {
namespace {

// "/a/b": no empty part, none that leads up, and no end that the kernel would not see.
bool IsPlain(std::string_view path) {
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) return false;
  path.remove_prefix(1);
  do {
    const std::string_view part = TakeUntil(path, '/');
    if (part.empty() || part == "." || part == "..") return false;
  } while (!path.empty());
  return true;
}

}  // namespace

Result<Fd> OpenBelowDirectory(int dir_fd, const char* path, uint64_t flags) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  // The kernel takes no other flag together with O_PATH.
  if ((flags & O_PATH) == 0) how.flags |= O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  Fd fd(static_cast<int>(syscall(SYS_openat2, dir_fd, path, &how, sizeof how)));
  if (!fd.valid()) return SystemError("open", path);
  return fd;
}

Result<Fd> OpenBelow(int root_fd, const std::string& path, uint64_t flags) {
  if (path == "/") return OpenBelowDirectory(root_fd, ".", flags);
  if (!IsPlain(path)) return Error{.errno_value = ENOENT, .operation = "open", .path = path};
  return OpenBelowDirectory(root_fd, path.c_str() + 1, flags);
}

bool CanOpenBelow(int root_fd) {
  const auto fd = OpenBelowDirectory(root_fd, ".", O_PATH | O_DIRECTORY);
  return fd || fd.error().errno_value != ENOSYS;
}

bool IsCgroupFileSystem(int fd) {
  struct statfs status{};
  if (fstatfs(fd, &status) != 0) return false;
  return status.f_type == CGROUP_SUPER_MAGIC || status.f_type == CGROUP2_SUPER_MAGIC;
}

}  // namespace core::cgroup
