// SPDX-License-Identifier: Apache-2.0
// The host's /proc/meminfo.
//
// Source: fs/proc/meminfo.c, meminfo_proc_show().
// Units:  KiB where the line ends in "kB" (has_unit), otherwise a count (HugePages_*).
// Errors: EINVAL with the line for a line without a label or a number, and for an empty text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/result.h"

namespace core::proc {

struct MemInfoLine {
  std::string_view label{};  // without the colon; points into the parsed text
  uint64_t value = 0;
  bool has_unit = false;
  std::string_view text{};  // the whole line, without its newline
};

// Every line in the file's order, unknown ones too. Holds no text of its own, and nothing that
// must be allocated: it lives as long as the text it was parsed from.
class MemInfo {
 public:
  static constexpr size_t kMaxLines = 128;  // a kernel prints at most about 60

  [[nodiscard]] std::span<const MemInfoLine> Lines() const {
    return std::span(lines_).first(count_);
  }
  // 0 when the host has no such line.
  [[nodiscard]] uint64_t ValueOf(std::string_view label) const;
  // False when there is no room left; the line is then not kept.
  bool Append(const MemInfoLine& line);

 private:
  std::array<MemInfoLine, kMaxLines> lines_{};
  size_t count_ = 0;
};

// "MemTotal:       24684084 kB"
Result<MemInfo> ParseMemInfo(std::string_view text);

}  // namespace core::proc
