// SPDX-License-Identifier: Apache-2.0
// One container root in every hierarchy, with its ancestors: what limits and counts it.
//
// Source: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/*.rst; see each reader.
// Units:  as the records say.
// Errors: ENODEV or ENOENT once the cgroup is removed; EINVAL for text that is not the kernel's.
//         nullopt where the host's root governs: the controller is not mounted, or the container
//         is in its root cgroup.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/cgroup/memory_query.h"

namespace core::cgroup {

// Directories that several containers have as ancestors are opened once.
class DirTable;

class Cgroup {
 public:
  // Opens the directories of `paths` and all their ancestors below each hierarchy's root.
  static Result<Cgroup> Open(const Hierarchy& hierarchy, const CgroupPaths& paths, DirTable& dirs);

  [[nodiscard]] const CgroupPaths& Paths() const { return paths_; }
  // True when the host's root governs `controller`.
  [[nodiscard]] bool IsRoot(Controller controller) const { return ChainOf(controller).empty(); }
  [[nodiscard]] Version VersionOf(Controller controller) const {
    return hierarchy_->VersionOf(controller);
  }
  // The directory in the hierarchy that tells most about membership: the first controller in which
  // the container is not in the root. Null when it is in the root everywhere.
  [[nodiscard]] const std::shared_ptr<CgroupDir>& Primary() const { return primary_; }
  // Of Primary(); meaningless when that is null.
  [[nodiscard]] Controller PrimaryController() const { return primary_controller_; }
  [[nodiscard]] Version PrimaryVersion() const { return VersionOf(primary_controller_); }
  // False once the primary directory is removed.
  [[nodiscard]] bool IsAlive() const { return primary_ == nullptr || primary_->IsAlive(); }

  Result<std::optional<Memory>> ReadMemory(FileBuffer& buffer, const MemoryQuery& query) const;
  // The levels that limit memory or swap, the container root first. `with_neighbours` reads the
  // usage of all that shares them too.
  Result<std::vector<MemoryLevelReport>> DescribeMemoryLevels(FileBuffer& buffer,
                                                              const MemoryQuery& query,
                                                              bool with_neighbours) const;
  // The smallest quota on the way to the root.
  Result<std::optional<CpuQuota>> ReadCpuQuota(FileBuffer& buffer) const;
  // nullopt when CPU time is counted in the root cgroup only.
  Result<std::optional<CpuUsage>> ReadCpuUsage(FileBuffer& buffer) const;
  Result<std::optional<CpuSet>> ReadEffectiveCpus(FileBuffer& buffer) const;
  Result<std::optional<std::vector<IoDevice>>> ReadIo(FileBuffer& buffer) const;
  Result<std::optional<uint64_t>> ReadPidsCurrent(FileBuffer& buffer) const;
  // The text of the view's own pressure file; valid until `buffer` is used again.
  Result<std::optional<std::string_view>> ReadPressure(CgroupFile file, FileBuffer& buffer) const;
  // The same file, for writing triggers.
  [[nodiscard]] Result<std::optional<Fd>> OpenPressure(CgroupFile file) const;

 private:
  using Chain = std::vector<std::shared_ptr<CgroupDir>>;  // the container root first

  [[nodiscard]] const Chain& ChainOf(Controller controller) const {
    return chains_[static_cast<size_t>(controller)];
  }
  // The nearest directory at or above the container root that has `file`; the kernel accounts there
  // when the controller is not enabled further down.
  static Result<std::optional<std::string_view>> ReadNearest(const Chain& chain,
                                                             CgroupFile file,
                                                             FileBuffer& buffer);
  Result<std::optional<Memory>> ReadMemoryV1(FileBuffer& buffer, const MemoryQuery& query) const;
  Result<std::optional<Memory>> ReadMemoryV2(FileBuffer& buffer, const MemoryQuery& query) const;
  static Result<bool> ReadOwnMemoryV2(CgroupDir& dir,
                                      FileBuffer& buffer,
                                      const MemoryQuery& query,
                                      Memory& memory);
  Status ReadHugeTlb(FileBuffer& buffer, uint64_t huge_page_kib, Memory& memory) const;
  Result<std::optional<CpuUsage>> ReadCpuUsageV1(FileBuffer& buffer) const;

  const Hierarchy* hierarchy_ = nullptr;
  CgroupPaths paths_;
  std::array<Chain, kControllerCount> chains_;
  std::shared_ptr<CgroupDir> primary_;
  Controller primary_controller_ = Controller::kUnified;
};

}  // namespace core::cgroup
