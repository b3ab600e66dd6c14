// SPDX-License-Identifier: Apache-2.0
// What /proc says of one process or thread.
//
// Source: proc(5); fs/proc/array.c, do_task_stat(), proc_pid_status().
// Units:  start times in USER_HZ since boot; namespaces as inode numbers.
// Errors: ENOENT or ESRCH when the process is gone; EINVAL for text that is not what proc(5) says.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"

namespace core::proc {

struct PidStat {
  char state = '?';
  pid_t ppid = 0;
  uint64_t starttime = 0;  // field 22
};

// "123 (npm start) S 1 ..."; a comm may hold blanks and parentheses, so fields are counted from the
// last ')'.
Result<PidStat> ParsePidStat(std::string_view text);

// The numbers of the NSpid line of /proc/<pid>/status, outermost namespace first.
// "NSpid:\t12345\t1"
std::vector<uint64_t> ParseNsPids(std::string_view status_text);

// "pid:[4026531836]", the target of /proc/<pid>/ns/pid, to 4026531836.
std::optional<uint64_t> ParseNamespaceLink(std::string_view target);

// One cgroup mount as a process sees it.
struct CgroupMount {
  std::string root;           // field 4: the path in the hierarchy that is mounted there
  std::string super_options;  // "rw,memory" for v1
  bool is_v2 = false;
};

// The cgroup lines of /proc/<pid>/mountinfo; octal escapes are undone.
// "41 31 0:38 /docker/abc /sys/fs/cgroup ro,nosuid - cgroup2 cgroup2 rw"
std::vector<CgroupMount> ParseCgroupMounts(std::string_view mountinfo);

// The personality(2) flags in /proc/<pid>/personality: "00400000", hexadecimal.
std::optional<uint32_t> ParsePersonality(std::string_view text);

enum class Namespace : uint8_t { kPid, kCgroup, kTime, kTimeForChildren };

// The readers of one proc mount.
class PidReader {
 public:
  static Result<PidReader> Open(const std::string& proc_root);

  [[nodiscard]] int RootFd() const { return root_.get(); }
  // Whether it is the kernel's, not a captured host's files.
  [[nodiscard]] bool IsProcfs() const { return is_procfs_; }
  // Of the task itself: what the kernel shows of its thread group takes a look at each thread.
  [[nodiscard]] Result<PidStat> ReadStat(pid_t pid, FileBuffer& buffer) const;
  // Its numbers, outermost namespace first.
  [[nodiscard]] Result<std::vector<uint64_t>> ReadNsPids(pid_t pid, FileBuffer& buffer) const;
  [[nodiscard]] Result<uint64_t> ReadNamespace(pid_t pid, Namespace which) const;
  // The cgroup namespace of the task `pidfd` stands for, whose number is `pid`.
  [[nodiscard]] Result<uint64_t> ReadCgroupNamespace(int pidfd, pid_t pid) const;
  // Of the reading process, whatever its number is in this mount.
  [[nodiscard]] Result<uint64_t> ReadOwnNamespace(Namespace which) const;
  [[nodiscard]] Result<Fd> OpenFile(pid_t pid, const char* file) const;
  // `file` is "cgroup", "personality" or "timens_offsets"; the text lives until `buffer` is used
  // again.
  [[nodiscard]] Result<std::string_view> ReadText(pid_t pid,
                                                  const char* file,
                                                  FileBuffer& buffer) const;
  // Its first lines: a process may have 100,000 mounts.
  [[nodiscard]] Result<std::string_view> ReadMountInfo(pid_t pid, FileBuffer& buffer) const;
  // The process that is pid 1 in the pid namespace of `pid`, as a pid of ours; nullopt before
  // Linux 6.11, which cannot be asked.
  [[nodiscard]] std::optional<pid_t> AskNamespaceInit(pid_t pid) const;

 private:
  explicit PidReader(Fd root);
  [[nodiscard]] std::optional<std::vector<uint64_t>> ReadNsPidsOfPidfd(pid_t pid,
                                                                       FileBuffer& buffer) const;
  [[nodiscard]] Result<uint64_t> ReadNamespaceLink(const char* path) const;

  Fd root_;
  bool is_procfs_ = false;
};

}  // namespace core::proc
