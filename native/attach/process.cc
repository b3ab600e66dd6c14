// SPDX-License-Identifier: Apache-2.0
#include "attach/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attach/mount_table.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"

namespace attach {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

std::string DirectoryOf(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

// What is missing below /proc/<pid> is the process.
Error ProcessError(Error error) {
  if (core::IsMissing(error)) error.errno_value = ESRCH;
  return error;
}

}  // namespace

Result<Process> Process::Open(pid_t pid) {
  const std::string path = DirectoryOf(pid);
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return SystemError("open process", path);
  auto proc = core::OpenDirectoryAt(AT_FDCWD, path.c_str());
  if (!proc) return ProcessError(proc.error());
  Process process(pid, std::move(pidfd), std::move(*proc));
  const Status is_alive = process.CheckIsAlive();
  if (!is_alive) return is_alive.error();
  const auto is_ours = process.SharesNamespace("ns/mnt");
  if (!is_ours) return is_ours.error();
  if (*is_ours) {
    return Error{.errno_value = EPERM, .operation = "enter the host's own mounts", .path = path};
  }
  return process;
}

Result<bool> Process::SharesNamespace(const char* name) const {
  struct stat theirs{};
  struct stat ours{};
  if (fstatat(proc_.get(), name, &theirs, 0) != 0) {
    return ProcessError(SystemError("look at namespace", DirectoryOf(pid_)));
  }
  const std::string own = std::string("/proc/self/") + name;
  if (stat(own.c_str(), &ours) != 0) return SystemError("look at namespace", own);
  return theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev;
}

std::optional<uint64_t> Process::NamespaceInode(const char* name) const {
  struct stat status{};
  if (fstatat(proc_.get(), name, &status, 0) != 0) return std::nullopt;
  return status.st_ino;
}

Result<bool> Process::SharesPids() const {
  return SharesNamespace("ns/pid");
}

Status Process::CheckIsAlive() const {
  pollfd poller{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (poll(&poller, 1, 0) == 0) return Unit{};
  return Error{.errno_value = ESRCH, .operation = "open process", .path = DirectoryOf(pid_)};
}

Result<std::vector<Mount>> Process::ReadMounts(core::FileBuffer& buffer) const {
  const auto text = core::ReadFileAt(proc_.get(), "mountinfo", buffer);
  if (!text) return ProcessError(text.error());
  return ParseMounts(*text);
}

Result<std::string_view> Process::ReadCgroups(core::FileBuffer& buffer) const {
  const auto text = core::ReadFileAt(proc_.get(), "cgroup", buffer);
  if (!text) return ProcessError(text.error());
  return *text;
}

Status Process::Enter(const std::string& root) const {
  const std::string name = DirectoryOf(pid_);
  // Not every container's root directory is that of its mount namespace.
  const auto own_root = core::OpenDirectoryAt(proc_.get(), "root");
  if (!own_root) return ProcessError(own_root.error());
  Status is_alive = CheckIsAlive();
  if (!is_alive) return is_alive;
  // A thread that shares its root and working directory with others cannot change namespaces.
  if (unshare(CLONE_FS) != 0) return SystemError("unshare", name);
  if (setns(pidfd_.get(), CLONE_NEWNS) != 0) return SystemError("enter mounts", name);
  const bool has_moved = root.empty() ? fchdir(own_root->get()) == 0 : chdir(root.c_str()) == 0;
  if (!has_moved) return SystemError("enter root", root.empty() ? name : root);
  if (chroot(".") != 0 || chdir("/") != 0) {
    return SystemError("enter root", root.empty() ? name : root);
  }
  return Unit{};
}

}  // namespace attach
