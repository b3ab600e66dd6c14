// SPDX-License-Identifier: Apache-2.0
// Durations counted in buckets that are at most 1.6 % wide.
//
// Source: the layout of HdrHistogram: 64 buckets for each power of two.
// Units:  nanoseconds.
// Errors: none.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace load {

class Histogram {
 public:
  void Add(uint64_t nanoseconds) {
    ++counts_[IndexOf(nanoseconds)];
    ++total_;
  }

  void Merge(const Histogram& other) {
    for (size_t index = 0; index < counts_.size(); ++index) counts_[index] += other.counts_[index];
    total_ += other.total_;
  }

  // The least duration that `share` (0 to 1) of all do not exceed; 0 when there are none.
  [[nodiscard]] uint64_t Quantile(double share) const {
    const auto wanted = static_cast<uint64_t>(share * static_cast<double>(total_));
    uint64_t seen = 0;
    for (size_t index = 0; index < counts_.size(); ++index) {
      seen += counts_[index];
      if (seen > wanted) return LowestOf(index);
    }
    return 0;
  }

 private:
  static constexpr unsigned kSubBits = 6;
  static constexpr size_t kPerPower = size_t{1} << kSubBits;
  static constexpr size_t kBuckets = (64 - kSubBits + 1) * kPerPower;

  // Durations below 64 ns have a bucket each; above, the highest 7 bits decide.
  static size_t IndexOf(uint64_t value) {
    if (value < kPerPower) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kSubBits - 1;
    return shift * kPerPower + (value >> shift);
  }
  static uint64_t LowestOf(size_t index) {
    if (index < 2 * kPerPower) return index;
    const size_t shift = index / kPerPower - 1;
    return (index - shift * kPerPower) << shift;
  }

  std::array<uint64_t, kBuckets> counts_{};
  uint64_t total_ = 0;
};

}  // namespace load
