// SPDX-License-Identifier: Apache-2.0
#include "core/engine/fallbacks.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <string_view>

#include "core/base/result.h"
#include "core/engine/quarantine.h"

namespace core::engine {

std::string_view NameOf(FallbackCause cause) {
  switch (cause) {
    case FallbackCause::kCallerUnknown:
      return "caller-unknown";
    case FallbackCause::kCgroupGone:
      return "cgroup-gone";
    case FallbackCause::kUnreadable:
      return "unreadable";
    case FallbackCause::kUnparsable:
      return "unparsable";
    case FallbackCause::kQuarantined:
      return "quarantined";
    case FallbackCause::kTasksEstimated:
      return "tasks-estimated";
    case FallbackCause::kCount:
      break;
  }
  return "";
}

void Fallbacks::Add(size_t file, FallbackCause cause, const Error& error) {
  counts_[file][static_cast<size_t>(cause)].fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  last_errors_[static_cast<size_t>(cause)] = error;
}

Error Fallbacks::LastError(FallbackCause cause) const {
  const std::lock_guard lock(mutex_);
  return last_errors_[static_cast<size_t>(cause)];
}

FallbackCause CauseOf(const Error& error) {
  switch (error.errno_value) {
    case ENODEV:
    case ENOENT:
      return FallbackCause::kCgroupGone;
    case ESRCH:
      return FallbackCause::kCallerUnknown;
    case kInQuarantine:
      return FallbackCause::kQuarantined;
    case EINVAL:
      return FallbackCause::kUnparsable;
    default:
      return FallbackCause::kUnreadable;
  }
}

}  // namespace core::engine
