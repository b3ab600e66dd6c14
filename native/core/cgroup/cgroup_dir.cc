// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/cgroup_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/read_log.h"
#include "core/base/result.h"

namespace core::cgroup {
namespace {

constexpr std::array<const char*, static_cast<size_t>(CgroupFile::kCount)> kNames = {
    "memory.current",
    "memory.max",
    "memory.stat",
    "memory.swap.current",
    "memory.swap.max",
    "memory.usage_in_bytes",
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

std::string RelativePath(std::string_view path) {
  return std::string(path == "/" ? "." : path.substr(1));
}

Result<uint64_t> ReadId(const Fd& dir, std::string_view path) {
  struct stat status{};
  if (fstat(dir.get(), &status) != 0) return SystemError("stat", path);
  return uint64_t{status.st_ino};
}

}  // namespace

const char* NameOf(CgroupFile file) {
  return kNames[static_cast<size_t>(file)];
}

CgroupDir::CgroupDir(int root_fd, std::string path, uint64_t id, FdBudget& budget)
    : root_fd_(root_fd), path_(std::move(path)), id_(id), budget_(budget) {
  for (auto& held : held_) held.store(kNotHeld, std::memory_order_relaxed);
}

CgroupDir::~CgroupDir() {
  int64_t given = dir_.valid() ? 1 : 0;
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
  auto dir = OpenDirectoryAt(root_fd, RelativePath(path).c_str());
  if (!dir) return dir.error();
  const auto id = ReadId(*dir, path);
  if (!id) return id.error();
  std::shared_ptr<CgroupDir> opened(new CgroupDir(root_fd, std::string(path), *id, budget));
  if (budget.Take()) opened->dir_ = std::move(*dir);
  return opened;
}

Result<Fd> CgroupDir::OpenDirectory() const {
  if (dir_.valid()) return OpenDirectoryAt(dir_.get(), ".");
  auto dir = OpenDirectoryAt(root_fd_, RelativePath(path_).c_str());
  if (!dir) return dir;
  const auto id = ReadId(*dir, path_);
  if (!id) return id.error();
  if (*id == id_) return dir;
  // Another cgroup of the same name has followed it.
  return Error{.errno_value = ENOENT, .operation = "open", .path = path_};
}

Result<Fd> CgroupDir::OpenFile(const char* name) const {
  if (dir_.valid()) return OpenAt(dir_.get(), name);
  const auto dir = OpenDirectory();
  if (!dir) return dir.error();
  return OpenAt(dir->get(), name);
}

Result<std::string_view> CgroupDir::ReadByName(const char* name, FileBuffer& buffer) const {
  const auto fd = OpenFile(name);
  if (!fd) return fd.error();
  auto text = ReadWhole(fd->get(), buffer, name);
  if (text && buffer.Log() != nullptr) Log(name, *text, *buffer.Log());
  return text;
}

Result<std::string_view> CgroupDir::Read(CgroupFile file, FileBuffer& buffer) {
  auto text = ReadUnlogged(file, buffer);
  if (text && buffer.Log() != nullptr) Log(NameOf(file), *text, *buffer.Log());
  return text;
}

void CgroupDir::Log(const char* name, std::string_view text, ReadLog& log) const {
  std::array<char, PATH_MAX> root{};
  const std::string link = "/proc/self/fd/" + std::to_string(root_fd_);
  const ssize_t size = readlink(link.c_str(), root.data(), root.size());
  std::string path(root.data(), static_cast<size_t>(std::max<ssize_t>(0, size)));
  if (path_ != "/") path.append(path_);
  log.push_back({.path = path.append("/").append(name), .text = std::string(text)});
}

Result<std::string_view> CgroupDir::ReadUnlogged(CgroupFile file, FileBuffer& buffer) {
  auto& slot = held_[static_cast<size_t>(file)];
  const int held = slot.load(std::memory_order_acquire);
  if (held != kNotHeld) return ReadOnce(held, buffer, NameOf(file));
  auto opened = OpenFile(NameOf(file));
  if (!opened) return opened.error();
  auto text = ReadOnce(opened->get(), buffer, NameOf(file));
  if (!text || !budget_.Take()) return text;
  int expected = kNotHeld;
  if (slot.compare_exchange_strong(expected, opened->get(), std::memory_order_acq_rel)) {
    (void)opened->release();
  } else {
    budget_.Give(1);  // another thread was faster
  }
  return text;
}

bool CgroupDir::IsAlive() const {
  constexpr const char* kFile = "cgroup.procs";
  if (dir_.valid()) return faccessat(dir_.get(), kFile, F_OK, 0) == 0;
  const auto dir = OpenDirectory();
  // Without a descriptor to be had nobody knows; only what is gone is gone.
  if (!dir) return dir.error().errno_value != ENOENT;
  return faccessat(dir->get(), kFile, F_OK, 0) == 0;
}

}  // namespace core::cgroup
