// SPDX-License-Identifier: Apache-2.0
// Which view a cgroup's id leads to.
//
// Source: core/cgroup/cgroup_id.h.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: none.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"
#include "core/engine/view.h"

namespace core::engine {

using cgroup::CgroupId;

// Of the view's primary directory; nullopt for the host's root, which has none.
std::optional<CgroupId> IdOf(const View& view);

class CgroupIndex {
 public:
  // The view of `id` when that was looked up less than a second before `now`: a cgroup gets its
  // processes after it is made, and its view with them.
  ViewRef Find(CgroupId id, Nanoseconds now);
  // The view that was known last, however long ago; null when nobody keeps it any more.
  ViewRef Last(CgroupId id);
  void Insert(CgroupId id, const ViewRef& view, Nanoseconds now);

 private:
  struct Hash {
    size_t operator()(const CgroupId& id) const {
      return std::hash<uint64_t>()(id.inode * cgroup::kControllerCount +
                                   static_cast<size_t>(id.controller));
    }
  };
  struct Known {
    std::weak_ptr<View> view;  // weak: the view table alone decides which views are kept
    Nanoseconds found_at{};
  };

  std::mutex mutex_;  // guards all below
  std::unordered_map<CgroupId, Known, Hash> known_;
  size_t sweep_at_ = 256;
};

}  // namespace core::engine
