// SPDX-License-Identifier: Apache-2.0
#include "core/base/read_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/read_log.h"
#include "core/base/result.h"

namespace core {
namespace {

constexpr size_t kSmallestPageBytes = 4096;

ssize_t PreadRetrying(int fd, char* into, size_t size, off_t offset) {
  ssize_t count = 0;
  do {
    count = pread(fd, into, size, offset);
  } while (count < 0 && errno == EINTR);
  return count;
}

// The kernel fills a page with as many records as fit.
bool IsAll(size_t count, size_t longest_record_bytes) {
  const size_t taken = std::min(kSmallestPageBytes, count);
  return count == 0 || kSmallestPageBytes - taken >= longest_record_bytes;
}

Error TooLarge(std::string_view path) {
  return Error{.errno_value = EFBIG, .operation = "read", .path = std::string(path)};
}

}  // namespace

Result<std::string_view> ReadOnce(int fd,
                                  FileBuffer& buffer,
                                  std::string_view path,
                                  size_t most_bytes) {
  for (;;) {
    const ssize_t count = PreadRetrying(fd, buffer.bytes_.data(), buffer.bytes_.size(), 0);
    if (count < 0) return SystemError("read", path);
    const auto size = static_cast<size_t>(count);
    if (size < buffer.bytes_.size()) return std::string_view(buffer.bytes_.data(), size);
    if (size >= most_bytes) return TooLarge(path);
    buffer.bytes_.resize(buffer.bytes_.size() * 4);
  }
}

Result<std::string_view> ReadWhole(int fd,
                                   FileBuffer& buffer,
                                   std::string_view path,
                                   size_t longest_record_bytes) {
  size_t size = 0;
  for (;;) {
    if (size >= kHostBytesMax) return TooLarge(path);
    if (size == buffer.bytes_.size()) buffer.bytes_.resize(buffer.bytes_.size() * 4);
    const ssize_t count = PreadRetrying(
        fd, buffer.bytes_.data() + size, buffer.bytes_.size() - size, static_cast<off_t>(size));
    if (count < 0) return SystemError("read", path);
    size += static_cast<size_t>(count);
    if (IsAll(static_cast<size_t>(count), longest_record_bytes))
      return std::string_view(buffer.bytes_.data(), size);
  }
}

Result<std::string_view> ReadBeginning(int fd,
                                       FileBuffer& buffer,
                                       std::string_view path,
                                       size_t most_bytes,
                                       size_t longest_record_bytes) {
  size_t size = 0;
  for (;;) {
    if (size == buffer.bytes_.size()) buffer.bytes_.resize(buffer.bytes_.size() * 4);
    const size_t room = std::min(buffer.bytes_.size(), most_bytes) - size;
    const ssize_t count =
        PreadRetrying(fd, buffer.bytes_.data() + size, room, static_cast<off_t>(size));
    if (count < 0) return SystemError("read", path);
    size += static_cast<size_t>(count);
    const std::string_view text(buffer.bytes_.data(), size);
    if (size >= most_bytes) return text.substr(0, text.rfind('\n') + 1);
    if (IsAll(static_cast<size_t>(count), longest_record_bytes)) return text;
  }
}

Result<Fd> OpenAt(int dir_fd, const char* path, int access) {
  Fd fd(openat(dir_fd, path, access | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return SystemError("open", path);
  return fd;
}

Result<Fd> OpenDirectoryAt(int dir_fd, const char* path) {
  Fd fd(openat(dir_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return SystemError("open", path);
  return fd;
}

void AppendRead(int dir_fd, std::string_view path, std::string_view text, ReadLog& log) {
  std::array<char, PATH_MAX> dir{};
  const std::string link = "/proc/self/fd/" + std::to_string(dir_fd);
  const ssize_t size = readlink(link.c_str(), dir.data(), dir.size());
  std::string found(dir.data(), static_cast<size_t>(std::max<ssize_t>(0, size)));
  log.push_back({.path = found.append("/").append(path), .text = std::string(text)});
}

Result<std::string_view> ReadFileAt(int dir_fd, const char* path, FileBuffer& buffer) {
  const auto fd = OpenAt(dir_fd, path);
  if (!fd) return fd.error();
  auto text = ReadWhole(fd->get(), buffer, path);
  if (text) LogRead(dir_fd, path, *text, buffer);
  return text;
}

}  // namespace core
