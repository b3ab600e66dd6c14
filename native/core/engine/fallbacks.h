// SPDX-License-Identifier: Apache-2.0
// Counters of the reads that did not get what they should have got.
//
// Source: the project's contract for values, "When something cannot be read".
// Units:  counts since start.
// Errors: none.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "core/base/result.h"

namespace core::engine {

enum class FallbackCause : uint8_t {
  kCallerUnknown,   // the caller's pid is not visible to us, or gone
  kCgroupGone,      // the cgroup is being removed; the last good bytes were given
  kUnreadable,      // a file could not be opened or read
  kUnparsable,      // a file did not say what the kernel's documentation says
  kQuarantined,     // a worker crashed or hung while it read the cgroup
  kTasksEstimated,  // so many tasks that not all were looked at
  kCount,
};

std::string_view NameOf(FallbackCause cause);
FallbackCause CauseOf(const Error& error);

class Fallbacks {
 public:
  static constexpr size_t kMaxFiles = 32;  // at least the catalog's size + 1 (other sysfs files)

  // `error` is kept as the cause's last one.
  void Add(size_t file, FallbackCause cause, const Error& error);
  [[nodiscard]] Error LastError(FallbackCause cause) const;
  [[nodiscard]] uint64_t Count(size_t file, FallbackCause cause) const {
    return counts_[file][static_cast<size_t>(cause)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::array<std::atomic<uint64_t>, static_cast<size_t>(FallbackCause::kCount)>,
             kMaxFiles>
      counts_{};
  mutable std::mutex mutex_;  // guards last_errors_
  std::array<Error, static_cast<size_t>(FallbackCause::kCount)> last_errors_;
};

}  // namespace core::engine
