// SPDX-License-Identifier: Apache-2.0
// The host's /proc/cpuinfo, cut into one block per CPU.
//
// Source: arch/*/kernel/**/proc.c, show_cpuinfo(); formats differ by architecture.
// Units:  none; the text is kept as it is.
// Errors: EINVAL with the line for a processor line without a number, and for an empty text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace core::proc {

// Whether 32-bit programs are shown another text (arch/arm64/kernel/cpuinfo.c, c_show()).
#if defined(__aarch64__)
inline constexpr bool kHas32BitText = true;
#else
inline constexpr bool kHas32BitText = false;
#endif

// The values below are pieces of `text`, so that a renderer can put others in their place; they are
// empty where the architecture does not print them.
struct CpuInfoBlock {
  uint32_t cpu = 0;       // the number after "processor"
  std::string_view text;  // from its processor line to the blank line behind it, both included
  std::string_view number{};
  std::string_view physical_id{}, core_id{}, siblings{}, cpu_cores{};
};

// One block per online CPU in the file's order. Points into the parsed text.
struct CpuInfo {
  // Lines before the first block: s390x prints "vendor_id", "# processors    : N", features here.
  std::string_view head;
  std::vector<CpuInfoBlock> blocks;
  // Lines after the last block that belong to no CPU: ARM's Hardware/Revision/Serial, POWER's
  // timebase/platform/model.
  std::string_view tail;
  // s390x: "processor 0: version = 00,  identification = ..." lines, one per CPU, no blank lines.
  bool is_s390 = false;
  // s390x's second list, one per CPU: from the blank line in front of "cpu number      : 0" to the
  // next section.
  std::vector<CpuInfoBlock> sections;
};

// "processor\t: 0\n...\n\n" per CPU.
Result<CpuInfo> ParseCpuInfo(std::string_view text);

}  // namespace core::proc
