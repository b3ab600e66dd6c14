// SPDX-License-Identifier: Apache-2.0
#include "core/model/disk_view.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "core/base/units.h"
#include "core/cgroup/io.h"
#include "core/proc/diskstats.h"

namespace core::model {
namespace {

auto NumberOf(const cgroup::IoDevice& device) {
  return std::tie(device.major, device.minor);
}

bool HasSmallerNumber(const cgroup::IoDevice& a, const cgroup::IoDevice& b) {
  return NumberOf(a) < NumberOf(b);
}

// Each counter is the cgroup's, at most the host's; bytes become whole sectors, rounded down.
DiskRow MakeRow(const proc::DiskLine& host, const cgroup::IoDevice& device) {
  return DiskRow{
      .major = host.major,
      .minor = host.minor,
      .name = host.name,
      .value_count = host.value_count,
      .reads = std::min(device.rios, host.reads),
      .read_sectors = std::min(device.rbytes / kBytesPerSector, host.read_sectors),
      .writes = std::min(device.wios, host.writes),
      .write_sectors = std::min(device.wbytes / kBytesPerSector, host.write_sectors),
      .discards = std::min(device.dios, host.discards),
      .discard_sectors = std::min(device.dbytes / kBytesPerSector, host.discard_sectors),
  };
}

}  // namespace

std::vector<DiskRow> DeriveDiskRows(const std::vector<proc::DiskLine>& host,
                                    const std::vector<cgroup::IoDevice>& devices) {
  std::vector<cgroup::IoDevice> sorted = devices;
  std::sort(sorted.begin(), sorted.end(), HasSmallerNumber);
  std::vector<DiskRow> rows;
  rows.reserve(host.size());
  for (const proc::DiskLine& line : host) {
    const cgroup::IoDevice none{.major = line.major, .minor = line.minor};
    const auto device = std::lower_bound(sorted.begin(), sorted.end(), none, HasSmallerNumber);
    const bool is_found = device != sorted.end() && NumberOf(*device) == NumberOf(none);
    rows.push_back(MakeRow(line, is_found ? *device : none));
  }
  return rows;
}

}  // namespace core::model
