// SPDX-License-Identifier: Apache-2.0
#include "core/engine/cgroup_index.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

#include "core/base/clock.h"
#include "core/base/erase_if.h"
#include "core/engine/view.h"

namespace core::engine {
namespace {

constexpr Nanoseconds kFoundFor = std::chrono::seconds(1);
constexpr size_t kSweepAtLeast = 256;

}  // namespace

std::optional<CgroupId> IdOf(const View& view) {
  const auto& primary = view.cgroup.Primary();
  if (primary == nullptr) return std::nullopt;
  return CgroupId{.controller = view.cgroup.PrimaryController(), .inode = primary->Id()};
}

ViewRef CgroupIndex::Find(CgroupId id, Nanoseconds now) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end() || found->second.found_at + kFoundFor < now) return nullptr;
  return found->second.view.lock();
}

ViewRef CgroupIndex::Last(CgroupId id) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  return found == known_.end() ? nullptr : found->second.view.lock();
}

void CgroupIndex::Insert(CgroupId id, const ViewRef& view, Nanoseconds now) {
  const std::lock_guard lock(mutex_);
  if (known_.size() >= sweep_at_) {
    EraseIf(known_, [](const auto& entry) { return entry.second.view.expired(); });
    sweep_at_ = std::max(kSweepAtLeast, known_.size() * 2);
  }
  known_.insert_or_assign(id, Known{.view = view, .found_at = now});
}

}  // namespace core::engine
