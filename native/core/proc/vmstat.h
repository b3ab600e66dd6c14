// SPDX-License-Identifier: Apache-2.0
// The host's /proc/vmstat.
//
// Source: mm/vmstat.c, vmstat_show().
// Units:  pages or events, as each key says.
// Errors: EINVAL with the line for a key without a number, and for an empty text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace core::proc {

struct VmStatLine {
  std::string_view key;  // points into the parsed text
  uint64_t value = 0;
};

// "nr_free_pages 6072737"; every line in the file's order.
Result<std::vector<VmStatLine>> ParseVmStat(std::string_view text);

}  // namespace core::proc
