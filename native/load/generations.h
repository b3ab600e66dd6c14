// SPDX-License-Identifier: Apache-2.0
// Whether what several readers get of one file are whole renderings, in order.
//
// Source: none.
// Units:  reads.
// Errors: none; what is wrong is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "load/examine.h"

namespace load {

// How many reads each rule was broken by.
struct Violations {
  uint64_t failed = 0;   // the read failed
  uint64_t size = 0;     // not the size the file had at first
  uint64_t newline = 0;  // the last byte is no newline
  uint64_t nul = 0;
  uint64_t parse = 0;  // not a text of this file
  uint64_t mixed = 0;  // from more than one rendering
  uint64_t order = 0;  // older than what the same reader has had

  void Merge(const Violations& other);
  [[nodiscard]] uint64_t Sum() const;
};

// What is known of the texts of one file, by all readers. Safe from any thread.
class Generations {
 public:
  Generations(Kind kind, size_t size, uint64_t overcommit_ratio)
      : kind_(kind), size_(size), overcommit_ratio_(overcommit_ratio) {}

  // `counters` are those that the reader has seen last, and become those of `text`.
  Violations Check(std::string_view text, std::vector<uint64_t>& counters);
  // How many different texts there were.
  [[nodiscard]] size_t count();

 private:
  using Hash = size_t;

  const Kind kind_;
  const size_t size_;
  const uint64_t overcommit_ratio_;
  std::mutex mutex_;  // guards the two
  std::unordered_map<uint64_t, Hash> text_of_key_;
  std::unordered_set<Hash> texts_;
};

}  // namespace load
