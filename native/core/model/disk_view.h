// SPDX-License-Identifier: Apache-2.0
// Disk counters as a container sees them.
//
// Source: the project's contract for values, "diskstats".
// Units:  operations and 512-byte sectors.
// Errors: none; a device the host does not list is left out, one without any I/O is all 0.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/cgroup/io.h"
#include "core/proc/diskstats.h"

namespace core::model {

struct DiskRow {
  uint32_t major = 0;
  uint32_t minor = 0;
  std::string_view name;     // points into the host's text
  uint32_t value_count = 0;  // numbers after the name, as the host prints them
  uint64_t reads = 0, read_sectors = 0, writes = 0, write_sectors = 0;
  uint64_t discards = 0, discard_sectors = 0;
};

// Every device of the host, in its order, as programs look for disks here that they know from
// elsewhere; no counter is above the host's of the same device.
std::vector<DiskRow> DeriveDiskRows(const std::vector<proc::DiskLine>& host,
                                    const std::vector<cgroup::IoDevice>& devices);

}  // namespace core::model
