// SPDX-License-Identifier: Apache-2.0
#include "core/engine/view_table.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "core/engine/view.h"

namespace core::engine {

ViewRef ViewTable::Find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = views_.find(key);
  return found == views_.end() ? nullptr : found->second;
}

ViewRef ViewTable::Insert(ViewRef view) {
  const std::lock_guard lock(mutex_);
  const auto found = views_.find(view->key);
  if (found != views_.end()) return found->second;
  if (views_.size() >= views_max_) DropLeastRecentlyUsed();
  views_.emplace(view->key, view);
  return view;
}

void ViewTable::Remove(const ViewRef& view) {
  const std::lock_guard lock(mutex_);
  const auto found = views_.find(view->key);
  if (found == views_.end() || found->second != view) return;
  view->is_dropped.store(true, std::memory_order_relaxed);
  views_.erase(found);
}

std::vector<ViewRef> ViewTable::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<ViewRef> all;
  all.reserve(views_.size());
  for (const auto& [key, view] : views_) all.push_back(view);
  return all;
}

size_t ViewTable::Size() const {
  const std::lock_guard lock(mutex_);
  return views_.size();
}

// Looks at every view: rare (a new view above the limit), and cheaper than keeping an order on
// every read.
void ViewTable::DropLeastRecentlyUsed() {
  const auto oldest = std::ranges::min_element(views_, {}, [](const auto& entry) {
    return entry.second->used_at.load(std::memory_order_relaxed);
  });
  if (oldest == views_.end()) return;
  oldest->second->is_dropped.store(true, std::memory_order_relaxed);
  views_.erase(oldest);
}

}  // namespace core::engine
