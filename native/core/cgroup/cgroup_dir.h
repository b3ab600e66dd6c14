// SPDX-License-Identifier: Apache-2.0
// One cgroup's directory, with its files held open.
//
// Source: cgroupfs; a cgroup's id is the inode of its directory, which no other cgroup of the
//         hierarchy gets while the machine runs; a held descriptor answers ENODEV once its cgroup
//         is removed. So a new cgroup of the same name is never mistaken for the old one.
// Units:  none.
// Errors: ENOENT for a file the kernel does not have there, ENODEV for a removed cgroup.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/fresh.h"
#include "core/base/read_file.h"
#include "core/base/read_log.h"
#include "core/base/result.h"
#include "core/cgroup/memory_level.h"

namespace core::cgroup {

// Every file that is read again and again.
enum class CgroupFile : uint8_t {
  kMemoryCurrent,
  kMemoryMax,
  kMemoryHigh,
  kMemoryStat,
  kMemorySwapCurrent,
  kMemorySwapMax,
  kMemoryUsageInBytes,
  kMemoryLimitInBytes,
  kMemoryMemswLimitInBytes,
  kMemoryUseHierarchy,
  kMemoryKmemUsageInBytes,
  kCpuStat,
  kCpuMax,
  kCpuCfsQuota,
  kCpuCfsPeriod,
  kCpuacctUsageAll,
  kCpuacctUsageUser,
  kCpuacctUsageSys,
  kCpusetEffective,
  kCpusetEffectiveV1,
  kCpusetCpus,
  kIoStat,
  kBlkioBytes,
  kBlkioServiced,
  kBlkioBfqBytes,
  kBlkioBfqServiced,
  kPidsCurrent,
  kPressureCpu,
  kPressureMemory,
  kPressureIo,
  kHugeTlb2MbMax,
  kHugeTlb2MbCurrent,
  kHugeTlb2MbLimitInBytes,
  kHugeTlb2MbUsageInBytes,
  kHugeTlb1GbMax,
  kHugeTlb1GbCurrent,
  kHugeTlb1GbLimitInBytes,
  kHugeTlb1GbUsageInBytes,
  kCount,
};

const char* NameOf(CgroupFile file);

// The id of the cgroup that has `path`, absolute in the hierarchy whose root is `root_fd`, now.
Result<uint64_t> ReadCgroupId(int root_fd, const std::string& path);

// How many descriptors may be held open, for all cgroups together.
class FdBudget {
 public:
  explicit FdBudget(int64_t limit) : limit_(limit) {}
  // False when none is left: the caller then closes its descriptor after use.
  bool Take() {
    if (held_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
    held_.fetch_sub(1, std::memory_order_relaxed);
    return false;
  }
  void Give(int64_t count) { held_.fetch_sub(count, std::memory_order_relaxed); }
  [[nodiscard]] int64_t Held() const { return held_.load(std::memory_order_relaxed); }

 private:
  const int64_t limit_;
  std::atomic<int64_t> held_{0};
};

class CgroupDir {
 public:
  // `path` is absolute in the hierarchy whose root is `root_fd`, which outlives the directory.
  static Result<std::shared_ptr<CgroupDir>> Open(int root_fd,
                                                 std::string_view path,
                                                 FdBudget& budget);
  ~CgroupDir();
  CgroupDir(const CgroupDir&) = delete;
  CgroupDir& operator=(const CgroupDir&) = delete;

  // The file's text, valid until `buffer` is used again. Opens the file on first use and keeps it
  // open while the budget allows. Safe from any thread.
  Result<std::string_view> Read(CgroupFile file, FileBuffer& buffer);

  // A file of a number a line that is not read often: opened for this read.
  Result<std::string_view> ReadByName(const char* name, FileBuffer& buffer) const;
  // The same for a list that may be long: no more than `most_bytes` of it.
  Result<std::string_view> ReadBeginningByName(const char* name,
                                               FileBuffer& buffer,
                                               size_t most_bytes) const;
  // The same, and nothing when it has children, or may have some.
  Result<std::optional<std::string_view>> ReadOfLeaf(const char* name,
                                                     FileBuffer& buffer,
                                                     size_t most_bytes) const;
  // For writing too, and to be kept by the caller.
  [[nodiscard]] Result<Fd> OpenForWriting(CgroupFile file) const;
  // A descriptor of the directory for one use.
  [[nodiscard]] Result<Fd> OpenDirectory() const;
  [[nodiscard]] const std::string& Path() const { return path_; }
  // What the cgroup lets everything below it have, read once for all views below it.
  [[nodiscard]] Fresh<MemoryLevel>& SharedMemoryLevel() { return memory_level_; }
  // The cgroup's id: the inode of its directory.
  [[nodiscard]] uint64_t Id() const { return id_; }
  // False once the cgroup is removed.
  [[nodiscard]] bool IsAlive() const;

 private:
  struct OpenedFile {
    Fd fd;
    bool is_of_leaf = false;
  };

  CgroupDir(int root_fd, std::string path, uint64_t id, FdBudget& budget);
  Result<std::string_view> ReadUnlogged(CgroupFile file, FileBuffer& buffer);
  void Log(const char* name, std::string_view text, ReadLog& log) const;
  [[nodiscard]] Result<OpenedFile> OpenFile(const char* name, int access = O_RDONLY) const;
  Result<std::string_view> ReadNumbers(const Fd& fd, const char* name, FileBuffer& buffer) const;
  Result<std::string_view> ReadList(const Fd& fd,
                                    const char* name,
                                    FileBuffer& buffer,
                                    size_t most_bytes) const;
  // ENOENT when another cgroup has the path, or none.
  [[nodiscard]] Result<struct stat> Stat() const;
  [[nodiscard]] Error Replaced() const;

  int root_fd_;
  std::string path_;
  uint64_t id_;
  FdBudget& budget_;
  std::array<std::atomic<int>, static_cast<size_t>(CgroupFile::kCount)> held_;
  Fresh<MemoryLevel> memory_level_;
};

}  // namespace core::cgroup
