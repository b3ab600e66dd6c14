// SPDX-License-Identifier: Apache-2.0
// Disk traffic of a cgroup, per device.
//
// Source: Documentation/admin-guide/cgroup-v2.rst "IO Interface Files",
//         Documentation/admin-guide/cgroup-v1/blkio-controller.rst.
// Units:  bytes and operations.
// Errors: EINVAL with the line for a device or a known key that is not a number. Unknown keys and
//         v1's "Total" lines are skipped, missing keys stay 0.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace core::cgroup {

struct IoDevice {
  uint32_t major = 0;
  uint32_t minor = 0;
  uint64_t rbytes = 0, wbytes = 0, dbytes = 0;
  uint64_t rios = 0, wios = 0, dios = 0;
};

// v2 io.stat: "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"; the file's order.
Result<std::vector<IoDevice>> ParseIoStat(std::string_view text);

// v1 blkio.*.io_service_bytes_recursive and io_serviced_recursive: "254:0 Read 123"; the order of
// the first text.
Result<std::vector<IoDevice>> ParseBlkio(std::string_view service_bytes, std::string_view serviced);

}  // namespace core::cgroup
