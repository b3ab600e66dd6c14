// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/cgroup_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/read_log.h"
#include "core/base/result.h"
#include "core/cgroup/descendants.h"
#include "core/cgroup/open_below.h"

namespace core::cgroup {
namespace {

constexpr std::array<const char*, static_cast<size_t>(CgroupFile::kCount)> kNames = {
    "memory.current",
    "memory.max",
    "memory.high",
    "memory.stat",
    "memory.swap.current",
    "memory.swap.max",
    "memory.usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.use_hierarchy",
    "memory.kmem.usage_in_bytes",
    "cpu.stat",
    "cpu.max",
    "cpu.cfs_quota_us",
    "cpu.cfs_period_us",
    "cpuacct.usage_all",
    "cpuacct.usage_user",
    "cpuacct.usage_sys",
    "cpuset.cpus.effective",
    "cpuset.effective_cpus",
    "cpuset.cpus",
    "io.stat",
    "blkio.throttle.io_service_bytes_recursive",
    "blkio.throttle.io_serviced_recursive",
    "blkio.bfq.io_service_bytes_recursive",
    "blkio.bfq.io_serviced_recursive",
    "pids.current",
    "cpu.pressure",
    "memory.pressure",
    "io.pressure",
    "hugetlb.2MB.max",
    "hugetlb.2MB.current",
    "hugetlb.2MB.limit_in_bytes",
    "hugetlb.2MB.usage_in_bytes",
    "hugetlb.1GB.max",
    "hugetlb.1GB.current",
    "hugetlb.1GB.limit_in_bytes",
    "hugetlb.1GB.usage_in_bytes",
};

constexpr int kNotHeld = -1;
constexpr size_t kLongestNumberBytes = 32;  // with its line's end

const char* RelativePath(const std::string& path) {
  return path == "/" ? "." : path.c_str() + 1;
}

// Looks only, at a path that OpenBelow() has led to before: often asked for.
Result<struct stat> StatDirectory(int root_fd, const std::string& path) {
  struct stat status{};
  if (fstatat(root_fd, RelativePath(path), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return SystemError("open", path);
  }
  if (S_ISDIR(status.st_mode)) return status;
  return Error{.errno_value = ENOTDIR, .operation = "open", .path = path};
}

}  // namespace

Result<uint64_t> ReadCgroupId(int root_fd, const std::string& path) {
  const auto dir = OpenBelow(root_fd, path, O_PATH | O_DIRECTORY);
  if (!dir) return dir.error();
  struct stat status{};
  if (fstat(dir->get(), &status) != 0) return SystemError("stat", path);
  return uint64_t{status.st_ino};
}

const char* NameOf(CgroupFile file) {
  return kNames[static_cast<size_t>(file)];
}

CgroupDir::CgroupDir(int root_fd, std::string path, uint64_t id, FdBudget& budget)
    : root_fd_(root_fd), path_(std::move(path)), id_(id), budget_(budget) {
  for (auto& held : held_) held.store(kNotHeld, std::memory_order_relaxed);
}

CgroupDir::~CgroupDir() {
  int64_t given = 0;
  for (auto& held : held_) {
    const int fd = held.load(std::memory_order_relaxed);
    if (fd == kNotHeld) continue;
    ::close(fd);
    ++given;
  }
  budget_.Give(given);
}

Result<std::shared_ptr<CgroupDir>> CgroupDir::Open(int root_fd,
                                                   std::string_view path,
                                                   FdBudget& budget) {
  std::string kept(path);
  const auto id = ReadCgroupId(root_fd, kept);
  if (!id) return id.error();
  return std::shared_ptr<CgroupDir>(new CgroupDir(root_fd, std::move(kept), *id, budget));
}

// No other cgroup ever gets the id, so that what was opened before it is seen is this one's.
Result<struct stat> CgroupDir::Stat() const {
  auto status = StatDirectory(root_fd_, path_);
  if (!status || status->st_ino == id_) return status;
  return Replaced();
}

// Another cgroup of the same name has followed it.
Error CgroupDir::Replaced() const {
  return Error{.errno_value = ENOENT, .operation = "open", .path = path_};
}

Result<Fd> CgroupDir::OpenDirectory() const {
  auto dir = OpenBelow(root_fd_, path_, O_PATH | O_DIRECTORY);
  if (!dir) return dir;
  struct stat status{};
  if (fstat(dir->get(), &status) != 0) return SystemError("stat", path_);
  if (status.st_ino == id_) return dir;
  return Replaced();
}

// `access` is O_RDONLY or O_RDWR.
Result<CgroupDir::OpenedFile> CgroupDir::OpenFile(const char* name, int access) const {
  std::string path(path_ == "/" ? "" : path_);
  path.append("/").append(name);
  auto fd = OpenBelow(root_fd_, path, static_cast<uint64_t>(access));
  if (!fd) {
    return Error{.errno_value = fd.error().errno_value, .operation = "open", .path = name};
  }
  const auto dir = Stat();
  if (!dir) return dir.error();
  return OpenedFile{.fd = std::move(*fd), .is_of_leaf = HasNoChildren(*dir)};
}

Result<Fd> CgroupDir::OpenForWriting(CgroupFile file) const {
  auto opened = OpenFile(NameOf(file), O_RDWR);
  if (!opened) return opened.error();
  return std::move(opened->fd);
}

Result<std::string_view> CgroupDir::ReadByName(const char* name, FileBuffer& buffer) const {
  const auto opened = OpenFile(name);
  if (!opened) return opened.error();
  return ReadNumbers(opened->fd, name, buffer);
}

Result<std::string_view> CgroupDir::ReadBeginningByName(const char* name,
                                                        FileBuffer& buffer,
                                                        size_t most_bytes) const {
  const auto opened = OpenFile(name);
  if (!opened) return opened.error();
  return ReadList(opened->fd, name, buffer, most_bytes);
}

Result<std::optional<std::string_view>> CgroupDir::ReadOfLeaf(const char* name,
                                                              FileBuffer& buffer,
                                                              size_t most_bytes) const {
  const auto opened = OpenFile(name);
  if (!opened) return opened.error();
  if (!opened->is_of_leaf) return std::optional<std::string_view>();
  const auto text = ReadList(opened->fd, name, buffer, most_bytes);
  if (!text) return text.error();
  return std::optional(*text);
}

Result<std::string_view> CgroupDir::ReadList(const Fd& fd,
                                             const char* name,
                                             FileBuffer& buffer,
                                             size_t most_bytes) const {
  auto text = ReadBeginning(fd.get(), buffer, name, most_bytes, kLongestNumberBytes);
  if (text && buffer.Log() != nullptr) Log(name, *text, *buffer.Log());
  return text;
}

Result<std::string_view> CgroupDir::ReadNumbers(const Fd& fd,
                                                const char* name,
                                                FileBuffer& buffer) const {
  auto text = ReadWhole(fd.get(), buffer, name, kLongestNumberBytes);
  if (text && buffer.Log() != nullptr) Log(name, *text, *buffer.Log());
  return text;
}

Result<std::string_view> CgroupDir::Read(CgroupFile file, FileBuffer& buffer) {
  auto text = ReadUnlogged(file, buffer);
  if (text && buffer.Log() != nullptr) Log(NameOf(file), *text, *buffer.Log());
  return text;
}

void CgroupDir::Log(const char* name, std::string_view text, ReadLog& log) const {
  const std::string below = path_ == "/" ? name : path_.substr(1).append("/").append(name);
  AppendRead(root_fd_, below, text, log);
}

Result<std::string_view> CgroupDir::ReadUnlogged(CgroupFile file, FileBuffer& buffer) {
  auto& slot = held_[static_cast<size_t>(file)];
  const int held = slot.load(std::memory_order_acquire);
  if (held != kNotHeld) return ReadOnce(held, buffer, NameOf(file));
  auto opened = OpenFile(NameOf(file));
  if (!opened) return opened.error();
  auto text = ReadOnce(opened->fd.get(), buffer, NameOf(file));
  if (!text || !budget_.Take()) return text;
  int expected = kNotHeld;
  if (slot.compare_exchange_strong(expected, opened->fd.get(), std::memory_order_acq_rel)) {
    (void)opened->fd.release();
  } else {
    budget_.Give(1);  // another thread was faster
  }
  return text;
}

bool CgroupDir::IsAlive() const {
  const auto status = Stat();
  // Where it cannot be looked at nobody knows; only what is gone is gone.
  return status || status.error().errno_value != ENOENT;
}

}  // namespace core::cgroup
