// SPDX-License-Identifier: Apache-2.0
#include "core/proc/pid.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/octal_escapes.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace core::proc {
namespace {

// NS_GET_PID_FROM_PIDNS of <linux/nsfs.h> (Linux 6.11), which Debian 12's headers do not have.
constexpr auto kNsGetPidFromPidns = _IOR(0xb7, 0x6, int);

// PIDFD_THREAD of <linux/pidfd.h> (Linux 6.9): a thread that is not its process's first.
constexpr unsigned kPidfdThread = 0200;

// NSpid stands in the first kilobyte, but for a process of very many groups.
constexpr size_t kStatusBytesMax = size_t{64} * 1024;
// The kernel gives a path at most a page, in each of at most 14 hierarchies.
constexpr size_t kTextBytesMax = size_t{64} * 1024;

// A container's runtime has made its cgroup mounts among the first.
constexpr size_t kMountInfoBytesMax = size_t{256} * 1024;

// PIDFD_GET_CGROUP_NAMESPACE of <linux/pidfd.h> (Linux 6.11).
constexpr auto kPidfdGetCgroupNamespace = _IO(0xff, 1);

std::string_view LinkOf(Namespace which) {
  switch (which) {
    case Namespace::kPid:
      return "ns/pid";
    case Namespace::kCgroup:
      return "ns/cgroup";
    case Namespace::kTime:
      return "ns/time";
    case Namespace::kTimeForChildren:
      return "ns/time_for_children";
  }
  return "";
}

// "<pid>/<file>" in a buffer of its own.
class PidPath {
 public:
  PidPath(pid_t pid, std::string_view file) : PidPath("", pid, file) {}
  // The same below the short `directory`.
  PidPath(std::string_view directory, pid_t pid, std::string_view file) {
    char* end = path_.data() + directory.copy(path_.data(), kDirectoryMax);
    end = std::to_chars(end, end + 12, pid).ptr;
    *end++ = '/';
    file = file.substr(0, path_.size() - kDirectoryMax - 14);
    end += file.copy(end, file.size());
    *end = '\0';
  }
  [[nodiscard]] const char* get() const { return path_.data(); }

 private:
  static constexpr size_t kDirectoryMax = 8;
  std::array<char, 48> path_{};
};

template <typename T>
std::optional<T> ParseHex(std::string_view text) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, value, 16);
  if (status != std::errc() || stop != end || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

Result<PidStat> ParsePidStat(std::string_view text) {
  constexpr int kStarttimeField = 22;
  const auto comm_end = text.rfind(')');
  if (comm_end == std::string_view::npos) return ParseErrorAt(1, "stat");
  text = Trim(text.substr(comm_end + 1));
  const std::string_view state = TakeWord(text);
  const auto ppid = ParseU64(TakeWord(text));
  std::string_view word;
  for (int field = 5; field <= kStarttimeField; ++field) word = TakeWord(text);
  const auto starttime = ParseU64(word);
  if (state.size() != 1 || !ppid || !starttime) return ParseErrorAt(1, "stat");
  return PidStat{.state = state[0], .ppid = static_cast<pid_t>(*ppid), .starttime = *starttime};
}

std::vector<uint64_t> ParseNsPids(std::string_view status_text) {
  std::vector<uint64_t> pids;
  while (!status_text.empty()) {
    std::string_view line = TakeLine(status_text);
    if (!line.starts_with("NSpid:")) continue;
    TakeWord(line);
    for (auto word = TakeWord(line); !word.empty(); word = TakeWord(line)) {
      if (const auto pid = ParseU64(word)) pids.push_back(*pid);
    }
    break;
  }
  return pids;
}

std::optional<uint64_t> ParseNamespaceLink(std::string_view target) {
  TakeUntil(target, '[');
  if (!target.ends_with(']')) return std::nullopt;
  target.remove_suffix(1);
  return ParseU64(target);
}

std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo) {
  std::vector<CgroupMount> mounts;
  while (!mountinfo.empty()) {
    std::string_view line = TakeLine(mountinfo);
    const auto separator = line.find(" - ");
    if (separator == std::string_view::npos) continue;
    std::string_view tail = line.substr(separator + 3);
    const std::string_view type = TakeWord(tail);
    if (type != "cgroup" && type != "cgroup2") continue;
    TakeWord(tail);  // the source
    for (int field = 1; field <= 3; ++field) TakeWord(line);
    mounts.push_back(CgroupMount{.root = UndoOctalEscapes(TakeWord(line)),
                                 .super_options = std::string(TakeWord(tail)),
                                 .is_v2 = type == "cgroup2"});
  }
  return mounts;
}

std::optional<uint32_t> ParsePersonality(std::string_view text) {
  return ParseHex<uint32_t>(Trim(text));
}

PidReader::PidReader(Fd root) : root_(std::move(root)) {
  struct statfs file_system{};
  is_procfs_ = fstatfs(root_.get(), &file_system) == 0 && file_system.f_type == PROC_SUPER_MAGIC;
}

Result<PidReader> PidReader::Open(const std::string& proc_root) {
  auto root = OpenDirectoryAt(AT_FDCWD, proc_root.c_str());
  if (!root) return root.error();
  return PidReader(std::move(*root));
}

Result<PidStat> PidReader::ReadStat(pid_t pid, FileBuffer& buffer) const {
  const auto text =
      ReadText(pid, is_procfs_ ? PidPath("task/", pid, "stat").get() : "stat", buffer);
  if (!text) return text.error();
  LogRead(root_.get(), PidPath(pid, "stat").get(), *text, buffer);
  return ParsePidStat(*text);
}

Result<std::vector<uint64_t>> PidReader::ReadNsPids(pid_t pid, FileBuffer& buffer) const {
  if (is_procfs_ && buffer.Log() == nullptr) {
    auto pids = ReadNsPidsOfPidfd(pid, buffer);
    if (pids) return std::move(*pids);
  }
  const auto fd = OpenFile(pid, "status");
  if (!fd) return fd.error();
  const auto text = ReadBeginning(fd->get(), buffer, "status", kStatusBytesMax);
  if (!text) return text.error();
  LogRead(root_.get(), PidPath(pid, "status").get(), *text, buffer);
  return ParseNsPids(*text);
}

// A pidfd says the same of a task as its status, and no more: a process may have 65,536 groups, all
// of which stand before the line that is wanted.
std::optional<std::vector<uint64_t>> PidReader::ReadNsPidsOfPidfd(pid_t pid,
                                                                  FileBuffer& buffer) const {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, kPidfdThread)));
  if (!pidfd.valid()) pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return std::nullopt;
  const std::string path = "thread-self/fdinfo/" + std::to_string(pidfd.get());
  const auto fd = OpenAt(root_.get(), path.c_str());
  if (!fd) return std::nullopt;
  const auto text = ReadBeginning(fd->get(), buffer, path, kStatusBytesMax);
  if (!text) return std::nullopt;
  auto pids = ParseNsPids(*text);
  if (pids.empty()) return std::nullopt;
  return pids;
}

Result<uint64_t> PidReader::ReadNamespace(pid_t pid, Namespace which) const {
  return ReadNamespaceLink(PidPath(pid, LinkOf(which)).get());
}

Result<uint64_t> PidReader::ReadCgroupNamespace(int pidfd, pid_t pid) const {
  const Fd opened(ioctl(pidfd, kPidfdGetCgroupNamespace, 0));
  struct stat status{};
  if (opened.valid() && fstat(opened.get(), &status) == 0) return uint64_t{status.st_ino};
  return ReadNamespace(pid, Namespace::kCgroup);
}

Result<uint64_t> PidReader::ReadOwnNamespace(Namespace which) const {
  const std::string path = std::string("self/").append(LinkOf(which));
  return ReadNamespaceLink(path.c_str());
}

Result<uint64_t> PidReader::ReadNamespaceLink(const char* path) const {
  std::array<char, 64> target{};
  const ssize_t size = readlinkat(root_.get(), path, target.data(), target.size());
  if (size < 0) return SystemError("readlink", path);
  const auto inode = ParseNamespaceLink({target.data(), static_cast<size_t>(size)});
  if (!inode) return ParseErrorAt(1, path);
  return *inode;
}

Result<std::string_view> PidReader::ReadText(pid_t pid,
                                             const char* file,
                                             FileBuffer& buffer) const {
  const auto fd = OpenFile(pid, file);
  if (!fd) return fd.error();
  return ReadOnce(fd->get(), buffer, PidPath(pid, file).get(), kTextBytesMax);
}

Result<std::string_view> PidReader::ReadMountInfo(pid_t pid, FileBuffer& buffer) const {
  constexpr const char* kFile = "mountinfo";
  const auto fd = OpenFile(pid, kFile);
  if (!fd) return fd.error();
  return ReadBeginning(fd->get(), buffer, PidPath(pid, kFile).get(), kMountInfoBytesMax);
}

Result<Fd> PidReader::OpenFile(pid_t pid, const char* file) const {
  return OpenAt(root_.get(), PidPath(pid, file).get());
}

std::optional<pid_t> PidReader::AskNamespaceInit(pid_t pid) const {
  const auto fd = OpenFile(pid, "ns/pid");
  const int init = fd ? ioctl(fd->get(), kNsGetPidFromPidns, 1) : -1;
  return init > 0 ? std::optional<pid_t>(init) : std::nullopt;
}

}  // namespace core::proc
