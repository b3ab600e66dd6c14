// SPDX-License-Identifier: Apache-2.0
#include "core/proc/host_cgroup_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

constexpr const char* kOwnNamespace = "/proc/self/ns/cgroup";
constexpr ino_t kFirstNamespace = 0xEFFFFFFB;

// Whether a path of /proc/<pid>/cgroup leads out of the reader's namespace.
bool LeadsOut(std::string_view cgroup_text) {
  while (!cgroup_text.empty()) {
    std::string_view path = TakeLine(cgroup_text);
    (void)TakeUntil(path, ':');
    (void)TakeUntil(path, ':');
    if (path.starts_with("/..")) return true;
  }
  return false;
}

// Of process 1, which a security module, or fewer capabilities than it has, may keep from us; the
// first kernel thread of a host, process 2, is in the same.
Result<Fd> OpenHostNamespace(const std::string& proc_root) {
  auto first = OpenAt(AT_FDCWD, (proc_root + "/1/ns/cgroup").c_str());
  if (first || IsMissing(first.error())) return first;
  auto second = OpenAt(AT_FDCWD, (proc_root + "/2/ns/cgroup").c_str());
  struct stat status{};
  const bool is_first_namespace =
      second && fstat(second->get(), &status) == 0 && status.st_ino == kFirstNamespace;
  return is_first_namespace ? std::move(second) : std::move(first);
}

}  // namespace

Status EnterHostCgroupNamespace(const std::string& proc_root) {
  struct stat own{};
  if (stat(kOwnNamespace, &own) != 0) return Unit{};
  const auto host = OpenHostNamespace(proc_root);
  if (!host) {
    FileBuffer buffer;
    const auto text = ReadFileAt(AT_FDCWD, (proc_root + "/1/cgroup").c_str(), buffer);
    if (text && LeadsOut(*text)) return host.error();
    return Unit{};
  }
  struct stat theirs{};
  if (fstat(host->get(), &theirs) != 0) return SystemError("stat", "cgroup namespace");
  if (theirs.st_ino == own.st_ino) return Unit{};
  if (setns(host->get(), CLONE_NEWCGROUP) != 0) return SystemError("enter", "cgroup namespace");
  return Unit{};
}

}  // namespace core::proc
