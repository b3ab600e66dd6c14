// SPDX-License-Identifier: Apache-2.0
#include "core/engine/init_finder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/types.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/time_budget.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/open_below.h"
#include "core/proc/pid.h"

namespace core::engine {
namespace {

constexpr const char* kProcessList = "cgroup.procs";
// Old processes have low numbers, but for what came after all numbers were used: of so many
// processes the oldest is looked for.
constexpr size_t kCandidatesMax = 256;
constexpr size_t kProcessListBytesMax = size_t{64} * 1024;
constexpr Nanoseconds kSearchedFor = std::chrono::milliseconds(5);
// A process's parents, as deep as a shell's pipes and a build's makes go.
constexpr int kAncestorsMax = 64;
// All processes of the host are looked at, 100,000 of them in so much time. Only a container that
// shares another's pid namespace, but not its cgroup, needs it.
constexpr Nanoseconds kScannedFor = std::chrono::milliseconds(250);

std::vector<pid_t> LowestPids(std::string_view lines) {
  std::vector<pid_t> pids;
  while (!lines.empty()) {
    const auto number = ParseU64(TakeLine(lines));
    if (number && *number != 0) pids.push_back(static_cast<pid_t>(*number));
  }
  const size_t kept = std::min(pids.size(), kCandidatesMax);
  std::ranges::partial_sort(pids, pids.begin() + static_cast<ptrdiff_t>(kept));
  pids.resize(kept);
  return pids;
}

}  // namespace

Result<InitProcess> InitFinder::Read(pid_t pid, FileBuffer& buffer) const {
  const auto stat = pids_.ReadStat(pid, buffer);
  if (!stat) return stat.error();
  const auto ns_pids = pids_.ReadNsPids(pid, buffer);
  if (!ns_pids) return ns_pids.error();
  return InitProcess{.pid = pid,
                     .starttime = stat->starttime,
                     .pid_level = ns_pids->empty() ? 0 : ns_pids->size() - 1};
}

bool InitFinder::IsIn(pid_t candidate, uint64_t pid_namespace) const {
  const auto inode = pids_.ReadNamespace(candidate, proc::Namespace::kPid);
  return inode && *inode == pid_namespace;
}

// Of its own pid namespace.
bool InitFinder::IsPidOne(pid_t candidate, FileBuffer& buffer) const {
  const auto ns_pids = pids_.ReadNsPids(candidate, buffer);
  return ns_pids && !ns_pids->empty() && ns_pids->back() == 1;
}

// A process that has entered the namespace, as those of `docker exec` do, has its parents outside.
std::optional<pid_t> InitFinder::FindAncestor(pid_t pid,
                                              uint64_t pid_namespace,
                                              FileBuffer& buffer) const {
  for (int count = 0; count < kAncestorsMax && IsIn(pid, pid_namespace); ++count) {
    if (IsPidOne(pid, buffer)) return pid;
    const auto stat = pids_.ReadStat(pid, buffer);
    if (!stat) break;
    pid = stat->ppid;
  }
  return std::nullopt;
}

std::optional<pid_t> InitFinder::FindInCgroup(const cgroup::CgroupPaths& own,
                                              uint64_t pid_namespace,
                                              FileBuffer& buffer) const {
  for (const cgroup::Controller controller : cgroup::kPrimaryOrder) {
    const std::string& path = own.Of(controller);
    if (path.empty()) continue;
    const auto list =
        cgroup::OpenBelow(hierarchy_.RootFd(controller), path + "/" + kProcessList, O_RDONLY);
    if (!list) return std::nullopt;
    const auto text = ReadBeginning(list->get(), buffer, kProcessList, kProcessListBytesMax);
    if (!text) return std::nullopt;
    const TimeBudget budget(kSearchedFor);
    for (const pid_t pid : LowestPids(*text)) {
      if (budget.IsSpent()) break;
      if (IsIn(pid, pid_namespace) && IsPidOne(pid, buffer)) return pid;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<pid_t> InitFinder::FindAnywhere(uint64_t pid_namespace, FileBuffer& buffer) const {
  auto fd = OpenAt(pids_.RootFd(), ".");
  DIR* const dir = fd ? fdopendir(fd->get()) : nullptr;
  if (dir == nullptr) return std::nullopt;
  (void)fd->release();  // closedir closes it
  const TimeBudget budget(kScannedFor);
  std::optional<pid_t> found;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(dir)) {
    if (budget.IsSpent()) break;
    const auto number = ParseU64(entry->d_name);
    if (!number) continue;
    const auto candidate = static_cast<pid_t>(*number);
    if (!IsIn(candidate, pid_namespace) || !IsPidOne(candidate, buffer)) continue;
    found = candidate;
    break;
  }
  closedir(dir);
  return found;
}

Result<InitProcess> InitFinder::OfNamespace(pid_t pid,
                                            uint64_t pid_namespace,
                                            const cgroup::CgroupPaths& own,
                                            FileBuffer& buffer) const {
  std::optional<pid_t> found = pids_.AskNamespaceInit(pid);
  if (!found) found = FindAncestor(pid, pid_namespace, buffer);
  if (!found) found = FindInCgroup(own, pid_namespace, buffer);
  if (!found) found = FindAnywhere(pid_namespace, buffer);
  if (found) return Read(*found, buffer);
  return Error{.errno_value = ESRCH,
               .operation = "find pid 1 of pid namespace",
               .path = std::to_string(pid_namespace)};
}

Result<InitProcess> InitFinder::Oldest(const cgroup::CgroupDir* dir,
                                       bool namespace_init,
                                       FileBuffer& buffer) const {
  std::optional<InitProcess> oldest;
  const auto text = dir == nullptr
                        ? Result<std::string_view>(std::string_view())
                        : dir->ReadBeginningByName(kProcessList, buffer, kProcessListBytesMax);
  if (!text) return text.error();
  const TimeBudget budget(kSearchedFor);
  for (const pid_t pid : LowestPids(*text)) {
    if (oldest && budget.IsSpent()) break;
    const auto stat = pids_.ReadStat(pid, buffer);
    if (!stat) continue;  // it ended in between
    if (oldest && oldest->starttime <= stat->starttime) continue;
    const auto ns_pids = pids_.ReadNsPids(pid, buffer);
    if (!ns_pids) continue;
    if (namespace_init && (ns_pids->size() < 2 || ns_pids->back() != 1)) continue;
    oldest = InitProcess{.pid = pid,
                         .starttime = stat->starttime,
                         .pid_level = ns_pids->empty() ? 0 : ns_pids->size() - 1};
  }
  if (!oldest) return Read(1, buffer);
  // Processes of a host cgroup see the host's pids, whatever namespaces some of them made.
  if (namespace_init) oldest->pid_level = 0;
  return *oldest;
}

}  // namespace core::engine
