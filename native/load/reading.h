// SPDX-License-Identifier: Apache-2.0
// The two ways to read a whole file.
//
// Source: none.
// Units:  bytes.
// Errors: nullopt for any.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "core/base/fd.h"

namespace load {

// More than any file has.
using Buffer = std::array<char, size_t{64} * 1024>;

// Opens, reads to the end and closes.
inline std::optional<uint64_t> ReadByOpening(const char* path, Buffer& buffer) {
  const core::Fd fd(open(path, O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  uint64_t bytes = 0;
  for (;;) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    bytes += static_cast<uint64_t>(count);
  }
  return bytes;
}

// Reads what there is at offset 0.
inline std::optional<uint64_t> ReadAgain(const core::Fd& fd, Buffer& buffer) {
  const ssize_t count = pread(fd.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) return std::nullopt;
  return static_cast<uint64_t>(count);
}

// "1" or "0.5"; nullopt for anything that is no span of time.
inline std::optional<double> ParseSeconds(std::string_view text) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, seconds);
  if (status != std::errc() || stop != end || !(seconds > 0)) return std::nullopt;
  return seconds;
}

}  // namespace load
