// SPDX-License-Identifier: Apache-2.0
// How reads were answered and how long that took. Of fixed size; counting allocates and locks
// nothing.
//
// Source: none.
// Units:  counts since start; nanoseconds.
// Errors: none.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/clock.h"
#include "core/engine/fallbacks.h"

namespace core::engine {

enum class Outcome : uint8_t {
  kCached,    // bytes that were young enough
  kRendered,  // bytes that were made for this read
  kFallback,  // the host's bytes, or the last ones of a cgroup that is gone
  kError,     // an errno
  kCount,
};

constexpr std::string_view NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCached:
      return "cached";
    case Outcome::kRendered:
      return "rendered";
    case Outcome::kFallback:
      return "fallback";
    case Outcome::kError:
      return "error";
    case Outcome::kCount:
      break;
  }
  return "";
}

class ReadStats {
 public:
  // Bucket k counts answers that took less than 2^k microseconds and at least half of that; the
  // last one also counts those that took longer.
  static constexpr size_t kBuckets = 22;

  void Add(size_t file, Outcome outcome, Nanoseconds took) {
    const auto took_nsec = static_cast<uint64_t>(std::max<int64_t>(0, took.count()));
    const auto bucket = static_cast<size_t>(std::bit_width(took_nsec / 1000));
    counts_[file][static_cast<size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
    buckets_[std::min(bucket, kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
    took_nsec_.fetch_add(took_nsec, std::memory_order_relaxed);
  }

  [[nodiscard]] uint64_t Count(size_t file, Outcome outcome) const {
    return counts_[file][static_cast<size_t>(outcome)].load(std::memory_order_relaxed);
  }
  // Of all files and outcomes.
  [[nodiscard]] uint64_t Total() const {
    uint64_t total = 0;
    for (const auto& of_file : counts_) {
      for (const auto& count : of_file) total += count.load(std::memory_order_relaxed);
    }
    return total;
  }
  [[nodiscard]] uint64_t Bucket(size_t bucket) const {
    return buckets_[bucket].load(std::memory_order_relaxed);
  }
  [[nodiscard]] uint64_t TookNsec() const { return took_nsec_.load(std::memory_order_relaxed); }

 private:
  std::array<std::array<std::atomic<uint64_t>, static_cast<size_t>(Outcome::kCount)>,
             Fallbacks::kMaxFiles>
      counts_{};
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<uint64_t> took_nsec_{0};
};

}  // namespace core::engine
