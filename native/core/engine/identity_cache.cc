// SPDX-License-Identifier: Apache-2.0
#include "core/engine/identity_cache.h"

#include <sys/poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/base/erase_if.h"
#include "core/base/fd.h"
#include "core/engine/view.h"

namespace core::engine {
namespace {

// A live process can still be moved to another cgroup; that must show soon.
constexpr Nanoseconds kMaxAge = std::chrono::milliseconds(100);

// PIDFD_THREAD of <linux/pidfd.h> (Linux 6.9): FUSE names the calling thread, not its process.
constexpr unsigned kPidfdThread = 0200;

}  // namespace

Fd IdentityCache::OpenPidFd(pid_t pid) {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, kPidfdThread)));
  if (!pidfd.valid()) pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return pidfd;
}

bool IdentityCache::HasEnded(const Fd& pidfd) {
  pollfd waiting{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) != 0;
}

ViewRef IdentityCache::Find(pid_t pid, Nanoseconds now) {
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(pid);
    if (found == entries_.end()) return nullptr;
    entry = found->second;
  }
  if (now - entry->resolved_at > kMaxAge || HasEnded(entry->pidfd)) return nullptr;
  return entry->view;
}

void IdentityCache::Insert(pid_t pid, Fd pidfd, ViewRef view, Nanoseconds now) {
  if (!pidfd.valid()) return;
  auto entry = std::make_shared<Entry>();
  entry->pidfd = std::move(pidfd);
  entry->view = std::move(view);
  entry->resolved_at = now;
  const std::lock_guard lock(mutex_);
  if (entries_.size() >= pids_max_ && !entries_.contains(pid)) {
    EraseIf(entries_, [&](const auto& old) { return now - old.second->resolved_at > kMaxAge; });
    if (entries_.size() >= pids_max_) entries_.clear();
  }
  entries_[pid] = std::move(entry);
}

void IdentityCache::DropOld(Nanoseconds now) {
  const std::lock_guard lock(mutex_);
  EraseIf(entries_, [&](const auto& old) { return now - old.second->resolved_at > kMaxAge; });
}

}  // namespace core::engine
