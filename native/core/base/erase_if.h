// SPDX-License-Identifier: Apache-2.0
// std::erase_if for maps.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <unordered_map>  // NOLINT(misc-include-cleaner): the check knows no header of erase_if

namespace core {

// Removes every entry for which `is_unwanted(entry)` is true.
template <typename Map, typename Predicate>
void EraseIf(Map& map, Predicate is_unwanted) {
  std::erase_if(map, is_unwanted);  // NOLINT(misc-include-cleaner)
}

}  // namespace core
