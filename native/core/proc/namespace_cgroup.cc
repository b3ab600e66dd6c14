// SPDX-License-Identifier: Apache-2.0
#include "core/proc/namespace_cgroup.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/proc/pid.h"

namespace core::proc {
namespace {

constexpr size_t kTextBytesMax = size_t{64} * 1024;

}  // namespace

NamespaceCgroups::NamespaceCgroups(const PidReader& pids) : pids_(pids) {
  // A captured host's processes are not there to be looked at.
  if (!pids.IsProcfs()) return;
  auto own = OpenAt(AT_FDCWD, "/proc/self/ns/cgroup");
  if (own) own_ = std::move(*own);
}

Result<std::string_view> NamespaceCgroups::Read(pid_t pid,
                                                uint64_t inode,
                                                FileBuffer& buffer) const {
  constexpr const char* kWhat = "cgroup namespace";
  if (!own_.valid()) {
    return Error{.errno_value = EOPNOTSUPP, .operation = "enter", .path = kWhat};
  }
  const auto theirs = pids_.OpenFile(pid, "ns/cgroup");
  if (!theirs) return theirs.error();
  struct stat status{};
  if (fstat(theirs->get(), &status) != 0) return SystemError("stat", kWhat);
  if (status.st_ino != inode) {
    return Error{.errno_value = ESRCH, .operation = "enter", .path = kWhat};
  }
  const auto file = pids_.OpenFile(pid, "cgroup");
  if (!file) return file.error();
  if (setns(theirs->get(), CLONE_NEWCGROUP) != 0) return SystemError("enter", kWhat);
  auto text = ReadOnce(file->get(), buffer, "cgroup", kTextBytesMax);
  // Everything that this thread read from here on would be relative to a container's root.
  if (setns(own_.get(), CLONE_NEWCGROUP) != 0) abort();
  return text;
}

}  // namespace core::proc
