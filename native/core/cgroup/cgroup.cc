// SPDX-License-Identifier: Apache-2.0
// The directories of one container root, and what needs no more than one of its files.
#include "core/cgroup/cgroup.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/dir_table.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory.h"

namespace core::cgroup {
namespace {

// Pressure accounting is off for the cgroup or for the host.
bool HasNoPressure(const Error& error) {
  return IsMissing(error) || error.errno_value == EOPNOTSUPP;
}

}  // namespace

Result<Cgroup> Cgroup::Open(const Hierarchy& hierarchy, const CgroupPaths& paths, DirTable& dirs) {
  Cgroup cgroup;
  cgroup.hierarchy_ = &hierarchy;
  cgroup.paths_ = paths;
  for (const Controller controller : kControllers) {
    std::string_view path = paths.Of(controller);
    if (hierarchy.VersionOf(controller) == Version::kNone) continue;
    for (; path.size() > 1; path = ParentOf(path)) {
      auto dir = dirs.Open(hierarchy, controller, path);
      if (!dir) return dir.error();
      cgroup.chains_[static_cast<size_t>(controller)].push_back(std::move(*dir));
    }
  }
  for (const Controller controller : kPrimaryOrder) {
    if (cgroup.IsRoot(controller)) continue;
    cgroup.primary_ = cgroup.ChainOf(controller).front();
    cgroup.primary_controller_ = controller;
    break;
  }
  return cgroup;
}

Result<std::optional<std::string_view>> Cgroup::ReadNearest(const Chain& chain,
                                                            CgroupFile file,
                                                            FileBuffer& buffer) {
  for (const auto& dir : chain) {
    const auto text = dir->Read(file, buffer);
    if (text) return std::optional(*text);
    // A removed cgroup has no files either: that is an error, not a controller that is off.
    if (!IsMissing(text.error()) || !dir->IsAlive()) return text.error();
  }
  return std::optional<std::string_view>();
}

Result<std::optional<uint64_t>> Cgroup::ReadPidsCurrent(FileBuffer& buffer) const {
  if (IsRoot(Controller::kPids)) return std::optional<uint64_t>();
  const auto text = ChainOf(Controller::kPids).front()->Read(CgroupFile::kPidsCurrent, buffer);
  if (!text) {
    if (IsMissing(text.error())) return std::optional<uint64_t>();
    return text.error();
  }
  const auto count = ParseCount(*text);
  if (!count) return count.error();
  return std::optional(*count);
}

Result<std::optional<std::string_view>> Cgroup::ReadPressure(CgroupFile file,
                                                             FileBuffer& buffer) const {
  if (IsRoot(Controller::kUnified)) return std::optional<std::string_view>();
  const auto text = ChainOf(Controller::kUnified).front()->Read(file, buffer);
  if (text) return std::optional(*text);
  if (HasNoPressure(text.error())) return std::optional<std::string_view>();
  return text.error();
}

Result<std::optional<Fd>> Cgroup::OpenPressure(CgroupFile file) const {
  if (IsRoot(Controller::kUnified)) return std::optional<Fd>();
  auto fd = ChainOf(Controller::kUnified).front()->OpenForWriting(file);
  if (fd) return std::optional(std::move(*fd));
  if (HasNoPressure(fd.error())) return std::optional<Fd>();
  return fd.error();
}

}  // namespace core::cgroup
