// SPDX-License-Identifier: Apache-2.0
// Which view a pid was resolved to, for as long as that is certain.
//
// Source: pidfd_open(2): a pidfd becomes readable when its task has ended, so while it is not, the
//         number cannot have been given to another task. What may change of a living task is its
//         cgroup and its cgroup namespace: these are looked at again after a second.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: none; a pid that cannot be cached is resolved for every read.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/engine/resolver.h"
#include "core/engine/view.h"
#include "core/proc/pid.h"

namespace core::engine {

class IdentityCache {
 public:
  // Of each caller two descriptors are held; `pids` must outlive this.
  IdentityCache(const proc::PidReader& pids, size_t callers_max);

  // Null when it must be resolved.
  [[nodiscard]] ViewRef Find(pid_t pid, Nanoseconds now);
  // The view that the caller had when it was resolved, however long ago that is; null when nobody
  // knows.
  [[nodiscard]] ViewRef FindEarlier(pid_t pid);
  // The view of a caller that is the same as when it was resolved, although that is some time ago;
  // whether the view itself is still good is for the engine to say. Null when it must be resolved.
  [[nodiscard]] ViewRef FindUnchanged(pid_t pid, FileBuffer& buffer);
  // What FindUnchanged() has found is still good.
  void Renew(pid_t pid, Nanoseconds now);
  // `pidfd` was opened before the caller was resolved, so both speak of the same task.
  void Insert(pid_t pid, Fd pidfd, const CallerTraits& traits, ViewRef view, Nanoseconds now);
  // Lets go of the descriptors of callers that have not been here lately.
  void DropOld(Nanoseconds now);

  // How many tasks each view was read by lately.
  [[nodiscard]] std::unordered_map<const View*, size_t> CountReaders(Nanoseconds now) const;

  // A pidfd of the task `pid`; invalid where the kernel cannot make one (a thread that is not its
  // process's first, before Linux 6.9).
  static Fd OpenPidFd(pid_t pid);
  static bool HasEnded(const Fd& pidfd);

 private:
  struct Entry {
    Fd pidfd;
    Fd cgroup_file;  // /proc/<pid>/cgroup, of the task that had the number when it was opened
    uint64_t cgroup_namespace = 0;
    std::string cgroup_text;
    ViewRef view;
    std::atomic<Nanoseconds> resolved_at{};
    std::atomic<Nanoseconds> seen_at{};  // the last read
  };

  std::shared_ptr<Entry> EntryOf(pid_t pid);
  void MakeRoom(Nanoseconds now);
  void DropOlderThan(Nanoseconds age, Nanoseconds now);

  const proc::PidReader& pids_;
  const size_t callers_max_;
  Nanoseconds swept_at_{};
  mutable std::mutex mutex_;  // guards entries_ and swept_at_
  std::unordered_map<pid_t, std::shared_ptr<Entry>> entries_;
};

}  // namespace core::engine
