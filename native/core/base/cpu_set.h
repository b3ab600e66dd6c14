// SPDX-License-Identifier: Apache-2.0
// A set of CPU numbers, and the kernel's two texts for it.
//
// Source: Documentation/admin-guide/cputopology.rst; "0-3,8" (list) and "f,0000000f" (mask).
// Units:  CPU numbers, 0 to kMaxCpus - 1 (the largest NR_CPUS the kernel can be built with).
// Errors: EINVAL for text that is not a list.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "core/base/result.h"
#include "core/base/write_text.h"

namespace core {

class CpuSet {
 public:
  static constexpr uint32_t kMaxCpus = 8192;

  void Add(uint32_t cpu) {
    if (cpu < kMaxCpus) words_[cpu / 64] |= uint64_t{1} << (cpu % 64);
  }
  [[nodiscard]] bool Contains(uint32_t cpu) const {
    return cpu < kMaxCpus && (words_[cpu / 64] >> (cpu % 64) & 1) != 0;
  }
  [[nodiscard]] uint32_t Count() const {
    uint32_t count = 0;
    for (const uint64_t word : words_) count += static_cast<uint32_t>(std::popcount(word));
    return count;
  }
  [[nodiscard]] bool IsEmpty() const {
    for (const uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  // The lowest member at or above `from`; kMaxCpus when there is none.
  [[nodiscard]] uint32_t Next(uint32_t from) const;
  [[nodiscard]] CpuSet Intersect(const CpuSet& other) const;
  // The `count` lowest members.
  [[nodiscard]] CpuSet Lowest(uint32_t count) const;
  // How many members are below `cpu`: the number of `cpu` when the members are renumbered from 0.
  [[nodiscard]] uint32_t RankOf(uint32_t cpu) const;

  bool operator==(const CpuSet&) const = default;

 private:
  std::array<uint64_t, kMaxCpus / 64> words_{};
};

// Every member in ascending order: for (cpu = set.Next(0); cpu < kMaxCpus; cpu = set.Next(cpu +
// 1)).

// "0-2,5", with or without a newline at the end; "" and "\n" are the empty set.
Result<CpuSet> ParseCpuList(std::string_view text);

// "0-2,5" without a newline; nothing for the empty set.
void WriteCpuList(const CpuSet& set, TextWriter& out);

// "ffffffff,0000000f" or "3": groups of 32 bits for `bits` CPUs (the kernel prints nr_cpu_ids),
// the first group with as many digits as its bits need.
void WriteCpuMask(const CpuSet& set, uint32_t bits, TextWriter& out);

// Masks as WriteCpuMask writes them; EINVAL for other text.
Result<CpuSet> ParseCpuMask(std::string_view text);

}  // namespace core
