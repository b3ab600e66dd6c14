// SPDX-License-Identifier: Apache-2.0
// The views that are known now, at most `views_max`; the least recently used one gives way.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/engine/view.h"

namespace core::engine {

class ViewTable {
 public:
  explicit ViewTable(size_t views_max) : views_max_(views_max) {}

  [[nodiscard]] ViewRef Find(const std::string& key) const;
  // The view under `view->key`: `view`, or one that another thread put there first.
  ViewRef Insert(ViewRef view);
  void Remove(const ViewRef& view);
  [[nodiscard]] std::vector<ViewRef> All() const;
  [[nodiscard]] size_t Size() const;

 private:
  void DropLeastRecentlyUsed();

  const size_t views_max_;
  mutable std::mutex mutex_;  // guards views_
  std::unordered_map<std::string, ViewRef> views_;
};

}  // namespace core::engine
