// SPDX-License-Identifier: Apache-2.0
// The host's /proc/diskstats: which devices there are, in which layout.
//
// Source: block/genhd.c, diskstats_show(); Documentation/admin-guide/iostats.rst.
// Units:  sectors of 512 bytes, counts.
// Errors: EINVAL with the line for a line without numbers and a name.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace core::proc {

struct DiskLine {
  uint32_t major = 0;
  uint32_t minor = 0;
  std::string_view name;     // points into the parsed text
  uint32_t value_count = 0;  // numbers after the name: 11, 15 (discards) or 17 (flushes)
  // The host's counters, for "no value above the host's".
  uint64_t reads = 0, read_sectors = 0, writes = 0, write_sectors = 0;
  uint64_t discards = 0, discard_sectors = 0;
};

// " 254       0 vda 30846 8980 1547122 8494 8711 6534 1968008 5493 0 4648 14382 ..."; file order.
Result<std::vector<DiskLine>> ParseDiskStats(std::string_view text);

}  // namespace core::proc
