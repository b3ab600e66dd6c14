// SPDX-License-Identifier: Apache-2.0
// The io controller of one container root; blkio on v1.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/io.h"

namespace core::cgroup {
namespace {

// v1: one file of bytes and one of operations.
Result<std::vector<IoDevice>> ReadBlkio(CgroupDir& dir,
                                        CgroupFile bytes_file,
                                        CgroupFile serviced_file,
                                        FileBuffer& buffer) {
  const auto bytes = dir.Read(bytes_file, buffer);
  if (!bytes) return bytes.error();
  const std::string kept(*bytes);  // the buffer is used again
  const auto serviced = dir.Read(serviced_file, buffer);
  if (!serviced) return serviced.error();
  return ParseBlkio(kept, *serviced);
}

bool HasIo(const std::vector<IoDevice>& devices) {
  return std::ranges::any_of(
      devices, [](const IoDevice& device) { return device.rios + device.wios + device.dios != 0; });
}

}  // namespace

Result<std::optional<std::vector<IoDevice>>> Cgroup::ReadIo(FileBuffer& buffer) const {
  if (VersionOf(Controller::kIo) != Version::kV1) {
    const auto text = ReadNearest(ChainOf(Controller::kIo), CgroupFile::kIoStat, buffer);
    if (!text) return text.error();
    const std::optional<std::string_view>& found = *text;
    if (!found) return std::optional<std::vector<IoDevice>>();
    auto devices = ParseIoStat(*found);
    if (!devices) return devices.error();
    return std::optional(std::move(*devices));
  }
  if (IsRoot(Controller::kIo)) return std::optional<std::vector<IoDevice>>();
  CgroupDir& dir = *ChainOf(Controller::kIo).front();
  auto devices = ReadBlkio(dir, CgroupFile::kBlkioBytes, CgroupFile::kBlkioServiced, buffer);
  // Older kernels' throttling layer counts only what it is told to limit; with the BFQ
  // scheduler the scheduler counts everything.
  if (!devices && !IsMissing(devices.error())) return devices.error();
  if (!devices || !HasIo(*devices)) {
    auto of_bfq = ReadBlkio(dir, CgroupFile::kBlkioBfqBytes, CgroupFile::kBlkioBfqServiced, buffer);
    if (of_bfq) devices = std::move(of_bfq);
  }
  if (!devices) return devices.error();
  return std::optional(std::move(*devices));
}

}  // namespace core::cgroup
