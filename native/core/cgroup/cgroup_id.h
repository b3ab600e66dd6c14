// SPDX-License-Identifier: Apache-2.0
// A cgroup by its id, and what stands for it in the pinned tree: a name and inode numbers.
//
// Source: kernfs: a cgroup's id is the inode of its directory; no other cgroup of the hierarchy
//         gets it while the machine runs.
// Units:  none.
// Errors: nullopt for a name or a number that stands for no cgroup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/cgroup/controller.h"

namespace core::cgroup {

// A cgroup in the hierarchy of `controller`.
struct CgroupId {
  Controller controller = Controller::kUnified;
  uint64_t inode = 0;
  bool operator==(const CgroupId&) const = default;
};

// "=cpu=4711": no cgroup path has this view name (see base/view_name.h).
std::string NameOfId(CgroupId id);
std::optional<CgroupId> IdOfName(std::string_view name);
// Whether the name is to be looked up as an id.
inline bool IsNameOfId(std::string_view name) {
  return name.starts_with('=');
}

// How many different files and directories of one view there may be.
inline constexpr unsigned kPathBits = 12;
inline constexpr unsigned kControllerBits = 3;
static_assert(kControllerCount <= 1U << kControllerBits);

// Or-ed to those of the shared connection's "views".
inline constexpr uint64_t kSharedMarker = uint64_t{1} << 63;

// Of a file of the cgroup's view; `path_number` has kPathBits.
inline uint64_t InodeNumberOf(CgroupId id, uint64_t path_number) {
  const uint64_t controller = static_cast<uint64_t>(id.controller) << kPathBits;
  return id.inode << (kPathBits + kControllerBits) | controller | path_number;
}
std::optional<CgroupId> IdOfInodeNumber(uint64_t number);

}  // namespace core::cgroup
