// SPDX-License-Identifier: Apache-2.0
#include "attach/outside_peers.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/mount_groups.h"
#include "core/base/time_budget.h"

namespace attach {
namespace {

using core::Fd;

constexpr size_t kTextBytesMax = size_t{8} << 20;    // of one namespace
constexpr size_t kTotalBytesMax = size_t{64} << 20;  // of all
constexpr core::Nanoseconds kTimeMax = std::chrono::milliseconds(1500);
constexpr core::Nanoseconds kLongest = std::chrono::seconds(5);
// Pid namespaces nest no deeper (MAX_PID_NS_LEVEL).
constexpr int kLevelsMax = 32;

std::optional<uint64_t> InodeOf(int fd) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return std::nullopt;
  return status.st_ino;
}

class Search {
 public:
  Search(const Fd& proc, const Namespaces& container, uint64_t group)
      : proc_(proc),
        container_(container),
        group_(group),
        shared_(" shared:" + std::to_string(group) + " "),
        master_(" master:" + std::to_string(group) + " ") {}

  Outside Run() {
    // The host's own is where it matters most.
    const Outside host = LookAt("1");
    if (host != Outside::kNothing) return host;
    Fd list(openat(proc_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DIR* const dir = list.valid() ? fdopendir(list.get()) : nullptr;
    if (dir == nullptr) return Outside::kUnknown;
    (void)list.release();  // closedir closes it
    Outside found = Outside::kNothing;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
    while (const dirent* entry = readdir(dir)) {
      if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
      found = LookAt(entry->d_name);
      if (found != Outside::kNothing) break;
    }
    closedir(dir);
    return found;
  }

 private:
  Outside LookAt(const std::string& pid) {
    if (budget_.IsSpent()) return Outside::kUnknown;
    const auto inode = NamespaceOf(pid, "/ns/mnt");
    // A security module may hide which ones the host's first process has, but not what is in them.
    if (!inode && errno == EACCES) return ReadMounts(pid);
    if (!inode) return WhenItFailed();
    if (*inode == container_.mounts || !seen_.insert(*inode).second) return Outside::kNothing;
    const auto is_inside = IsInside(pid);
    if (!is_inside) return WhenItFailed();
    if (*is_inside) {
      // Another process, of the outside, may be in the same mounts.
      seen_.erase(*inode);
      return Outside::kNothing;
    }
    const Outside found = ReadMounts(pid);
    // The process that was looked at has ended: the next one in the namespace is asked.
    if (has_vanished_) seen_.erase(*inode);
    return found;
  }

  static Outside WhenItFailed() {
    // What has ended, or is about to, has no namespaces (ENOENT) and no mounts (EINVAL).
    const bool has_ended = errno == ENOENT || errno == ESRCH || errno == EINVAL;
    return has_ended ? Outside::kNothing : Outside::kUnknown;
  }

  std::optional<uint64_t> NamespaceOf(const std::string& pid, const char* name) const {
    struct stat status{};
    if (fstatat(proc_.get(), (pid + name).c_str(), &status, 0) != 0) return std::nullopt;
    return status.st_ino;
  }

  // Whether the process is in the container's pid namespace, or in one made there.
  std::optional<bool> IsInside(const std::string& pid) const {
    const auto inode = NamespaceOf(pid, "/ns/pid");
    if (!inode) return std::nullopt;
    if (*inode == container_.pids) return true;
    Fd pids(openat(proc_.get(), (pid + "/ns/pid").c_str(), O_RDONLY | O_CLOEXEC));
    // One that may be looked at only, as a security module makes the host's first process.
    if (!pids.valid()) return false;
    for (int level = 0; level <= kLevelsMax; ++level) {
      if (InodeOf(pids.get()) == container_.pids) return true;
      Fd parent(ioctl(pids.get(), NS_GET_PARENT));
      // The topmost one that may be seen has none.
      if (!parent.valid()) return false;
      pids = std::move(parent);
    }
    return false;
  }

  Outside ReadMounts(const std::string& pid) {
    has_vanished_ = false;
    const Fd mounts(openat(proc_.get(), (pid + "/ns/mnt").c_str(), O_RDONLY | O_CLOEXEC));
    const auto groups = core::ListMountGroups(mounts);
    if (!groups) return ReadTable(pid);
    const bool is_there = std::ranges::any_of(*groups, [&](const core::MountGroups& mount) {
      return mount.shared == group_ || mount.master == group_;
    });
    return is_there ? Outside::kSomething : Outside::kNothing;
  }

  // The same before Linux 6.11, and where the namespace may not be opened: whether the text has one
  // of the words, read in parts of a fixed size.
  Outside ReadTable(const std::string& pid) {
    const Fd file(openat(proc_.get(), (pid + "/mountinfo").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
      has_vanished_ = WhenItFailed() == Outside::kNothing;
      return WhenItFailed();
    }
    std::array<char, size_t{32} * 1024> bytes{};
    const size_t overlap = std::max(shared_.size(), master_.size());
    size_t kept = 0;
    for (size_t read_bytes = 0;;) {
      const ssize_t count = read(file.get(), bytes.data() + kept, bytes.size() - kept);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        has_vanished_ = WhenItFailed() == Outside::kNothing;
        return WhenItFailed();
      }
      if (count == 0) return Outside::kNothing;
      const std::string_view text(bytes.data(), kept + static_cast<size_t>(count));
      if (text.find(shared_) != text.npos || text.find(master_) != text.npos) {
        return Outside::kSomething;
      }
      read_bytes += static_cast<size_t>(count);
      total_bytes_ += static_cast<size_t>(count);
      const bool is_too_much = read_bytes > kTextBytesMax || total_bytes_ > kTotalBytesMax;
      if (is_too_much || budget_.IsSpent()) return Outside::kUnknown;
      kept = std::min(overlap, text.size());
      std::copy(text.end() - static_cast<ptrdiff_t>(kept), text.end(), bytes.data());
    }
  }

  const Fd& proc_;
  const Namespaces container_;
  const uint64_t group_;
  const std::string shared_;
  const std::string master_;
  const core::TimeBudget budget_{kTimeMax, kLongest};
  std::unordered_set<uint64_t> seen_;
  size_t total_bytes_ = 0;
  bool has_vanished_ = false;
};

}  // namespace

Outside FindPeersOutside(const Fd& proc, const Namespaces& container, uint64_t group) {
  return Search(proc, container, group).Run();
}

}  // namespace attach
