// SPDX-License-Identifier: Apache-2.0
// Finding keys in a table that stands in the order in which the kernel prints them.
//
// Source: none.
// Units:  none.
// Errors: nullptr for a key that the table does not have.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace core {

// `Entry` has a member `key`. Each search starts behind the last match, so a text in the table's
// order is found in one comparison per key and any other order is still found. The table outlives
// the finder.
template <typename Entry>
class KeyFinder {
 public:
  explicit constexpr KeyFinder(std::span<const Entry> table) : table_(table) {}

  constexpr const Entry* Find(std::string_view key) {
    for (size_t tried = 0; tried < table_.size(); ++tried) {
      const Entry& entry = table_[next_];
      next_ = next_ + 1 == table_.size() ? 0 : next_ + 1;
      if (entry.key == key) return &entry;
    }
    return nullptr;
  }

 private:
  std::span<const Entry> table_;
  size_t next_ = 0;
};

}  // namespace core
