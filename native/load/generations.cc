// SPDX-License-Identifier: Apache-2.0
#include "load/generations.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "load/examine.h"

namespace load {
namespace {

// Each counter is at least what it was; an unlike number of them is another text's matter.
bool IsInOrder(const std::vector<uint64_t>& before, const std::vector<uint64_t>& after) {
  if (before.size() != after.size()) return before.empty();
  for (size_t index = 0; index < after.size(); ++index) {
    if (after[index] < before[index]) return false;
  }
  return true;
}

}  // namespace

void Violations::Merge(const Violations& other) {
  failed += other.failed;
  size += other.size;
  newline += other.newline;
  nul += other.nul;
  parse += other.parse;
  mixed += other.mixed;
  order += other.order;
}

uint64_t Violations::Sum() const {
  return failed + size + newline + nul + parse + mixed + order;
}

Violations Generations::Check(std::string_view text, std::vector<uint64_t>& counters) {
  Violations found;
  if (text.size() != size_) found.size = 1;
  if (!text.ends_with('\n')) found.newline = 1;
  if (text.find('\0') != std::string_view::npos) found.nul = 1;
  Facts facts = Examine(kind_, text, overcommit_ratio_);
  if (!facts.parses) {
    found.parse = 1;
    return found;
  }
  if (!facts.fits) found.mixed = 1;
  if (!IsInOrder(counters, facts.counters)) found.order = 1;
  counters = std::move(facts.counters);
  const Hash hash = std::hash<std::string_view>{}(text);
  const std::lock_guard lock(mutex_);
  texts_.insert(hash);
  if (facts.key) {
    const auto [known, is_new] = text_of_key_.try_emplace(*facts.key, hash);
    if (!is_new && known->second != hash) found.mixed = 1;
  }
  return found;
}

size_t Generations::count() {
  const std::lock_guard lock(mutex_);
  return texts_.size();
}

}  // namespace load
