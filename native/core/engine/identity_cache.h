// SPDX-License-Identifier: Apache-2.0
// Which view a pid was resolved to, for as long as that is certain.
//
// Source: pidfd_open(2): a pidfd becomes readable when its task has ended, so while it is not, the
//         number cannot have been given to another task.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: none; a pid that cannot be cached is resolved for every read.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/engine/view.h"

namespace core::engine {

class IdentityCache {
 public:
  // `pids_max` bounds the pidfds that are held.
  explicit IdentityCache(size_t pids_max) : pids_max_(pids_max) {}

  // Null when it must be resolved.
  [[nodiscard]] ViewRef Find(pid_t pid, Nanoseconds now);
  // `pidfd` was opened before the caller was resolved, so both speak of the same task.
  void Insert(pid_t pid, Fd pidfd, ViewRef view, Nanoseconds now);
  // Lets go of the pidfds of callers that have not been resolved lately.
  void DropOld(Nanoseconds now);

  // A pidfd of the task `pid`; invalid where the kernel cannot make one (a thread that is not its
  // process's first, before Linux 6.9).
  static Fd OpenPidFd(pid_t pid);
  static bool HasEnded(const Fd& pidfd);

 private:
  struct Entry {
    Fd pidfd;
    ViewRef view;
    Nanoseconds resolved_at{};
  };

  const size_t pids_max_;
  std::mutex mutex_;  // guards entries_
  std::unordered_map<pid_t, std::shared_ptr<Entry>> entries_;
};

}  // namespace core::engine
