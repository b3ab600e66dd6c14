// SPDX-License-Identifier: Apache-2.0
// Reading whole kernel files into a buffer that is used again and again.
//
// Source: pread(2); seq_file answers a read with all it has, up to the size asked for.
// Units:  bytes.
// Errors: the errno of openat or pread, with the path; EFBIG for a file above its bound.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "core/base/read_log.h"
#include "core/base/result.h"

namespace core {

// As long as any.
inline constexpr size_t kUnknownRecordBytes = SIZE_MAX;
// What a file may have that no container can make larger: /proc/cpuinfo of 8,192 CPUs has 12 MB.
inline constexpr size_t kHostBytesMax = size_t{64} * 1024 * 1024;
// What a file of a cgroup may have: io.stat of 10,000 devices has 1 MB.
inline constexpr size_t kCgroupBytesMax = size_t{4} * 1024 * 1024;

// Room for one file. The text of the last read lives until the next one. Grows, never shrinks.
class FileBuffer {
 public:
  explicit FileBuffer(size_t capacity_bytes = size_t{16} * 1024) : bytes_(capacity_bytes) {}

  // Cgroups, tasks and ReadFileAt() write into `log` what they read through this buffer; null:
  // nothing is kept.
  void SetLog(ReadLog* log) { log_ = log; }
  [[nodiscard]] ReadLog* Log() const { return log_; }

 private:
  friend Result<std::string_view> ReadOnce(int fd,
                                           FileBuffer& buffer,
                                           std::string_view path,
                                           size_t most_bytes);
  friend Result<std::string_view> ReadWhole(int fd,
                                            FileBuffer& buffer,
                                            std::string_view path,
                                            size_t longest_record_bytes);
  friend Result<std::string_view> ReadBeginning(int fd,
                                                FileBuffer& buffer,
                                                std::string_view path,
                                                size_t most_bytes,
                                                size_t longest_record_bytes);
  std::vector<char> bytes_;
  ReadLog* log_ = nullptr;
};

// One pread at offset 0, for files whose text the kernel makes in one piece (most cgroup files,
// /proc/meminfo, /proc/<pid>/stat). Read again with more room when it filled the buffer; EFBIG
// where there is more than `most_bytes`.
Result<std::string_view> ReadOnce(int fd,
                                  FileBuffer& buffer,
                                  std::string_view path,
                                  size_t most_bytes = kCgroupBytesMax);

// From offset 0 to the end, for files that the kernel makes record by record (/proc/cpuinfo,
// /proc/diskstats, cgroup.procs). It fills a page with as many records as fit: where
// `longest_record_bytes` is known, a short page tells that the file has ended. EFBIG where
// there is more than kHostBytesMax: what a container can make large is not read by this.
Result<std::string_view> ReadWhole(int fd,
                                   FileBuffer& buffer,
                                   std::string_view path,
                                   size_t longest_record_bytes = kUnknownRecordBytes);

// The whole lines of the first `most_bytes`: for what a container makes as long as it likes.
Result<std::string_view> ReadBeginning(int fd,
                                       FileBuffer& buffer,
                                       std::string_view path,
                                       size_t most_bytes,
                                       size_t longest_record_bytes = kUnknownRecordBytes);

// Opens `path` below the directory `dir_fd` close-on-exec; `access` is O_RDONLY or O_RDWR.
Result<Fd> OpenAt(int dir_fd, const char* path, int access = O_RDONLY);

// Opens a directory (O_PATH | O_DIRECTORY), as a place for OpenAt.
Result<Fd> OpenDirectoryAt(int dir_fd, const char* path);

// Keeps `text` as that of the file `path` below the directory `dir_fd`, when `buffer` has a log.
inline void LogRead(int dir_fd, const char* path, std::string_view text, FileBuffer& buffer) {
  if (buffer.Log() != nullptr) AppendRead(dir_fd, path, text, *buffer.Log());
}

// OpenAt and ReadWhole.
Result<std::string_view> ReadFileAt(int dir_fd, const char* path, FileBuffer& buffer);

}  // namespace core
