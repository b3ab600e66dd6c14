// SPDX-License-Identifier: Apache-2.0
#include "core/engine/identity_cache.h"

#include <sys/poll.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "core/base/clock.h"
#include "core/base/erase_if.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/engine/resolver.h"
#include "core/engine/view.h"
#include "core/proc/pid.h"

namespace core::engine {
namespace {

// A live process can still be moved to another cgroup; that must show soon.
constexpr Nanoseconds kMaxAge = std::chrono::seconds(1);
// Who has read since then is a reader.
constexpr Nanoseconds kLately = std::chrono::milliseconds(100);
// Longer than the pause of those who read once in a second.
constexpr Nanoseconds kKeptFor = std::chrono::seconds(3);
// Callers that read at the same time.
constexpr size_t kCallersMax = 4096;
constexpr Nanoseconds kSweepPeriod = std::chrono::seconds(1);

// PIDFD_THREAD of <linux/pidfd.h> (Linux 6.9): FUSE names the calling thread, not its process.
constexpr unsigned kPidfdThread = 0200;

}  // namespace

IdentityCache::IdentityCache(const proc::PidReader& pids, size_t callers_max)
    : pids_(pids), callers_max_(std::min(kCallersMax, callers_max)) {}

Fd IdentityCache::OpenPidFd(pid_t pid) {
  Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, kPidfdThread)));
  if (!pidfd.valid()) pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return pidfd;
}

bool IdentityCache::HasEnded(const Fd& pidfd) {
  pollfd waiting{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  return poll(&waiting, 1, 0) != 0;
}

std::shared_ptr<IdentityCache::Entry> IdentityCache::EntryOf(pid_t pid) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(pid);
  return found == entries_.end() ? nullptr : found->second;
}

ViewRef IdentityCache::Find(pid_t pid, Nanoseconds now) {
  const auto entry = EntryOf(pid);
  if (entry == nullptr || now - entry->resolved_at.load() > kMaxAge) return nullptr;
  if (HasEnded(entry->pidfd)) return nullptr;
  entry->seen_at.store(now, std::memory_order_relaxed);
  return entry->view;
}

ViewRef IdentityCache::FindEarlier(pid_t pid) {
  const auto entry = EntryOf(pid);
  return entry == nullptr || HasEnded(entry->pidfd) ? nullptr : entry->view;
}

ViewRef IdentityCache::FindUnchanged(pid_t pid, FileBuffer& buffer) {
  const auto entry = EntryOf(pid);
  if (entry == nullptr || !entry->cgroup_file.valid() || HasEnded(entry->pidfd)) return nullptr;
  const auto text = ReadOnce(entry->cgroup_file.get(), buffer, "cgroup");
  if (!text || *text != entry->cgroup_text) return nullptr;
  const auto cgroup_namespace = pids_.ReadCgroupNamespace(entry->pidfd.get(), pid);
  if ((cgroup_namespace ? *cgroup_namespace : 0) != entry->cgroup_namespace) return nullptr;
  return entry->view;
}

void IdentityCache::Renew(pid_t pid, Nanoseconds now) {
  const auto entry = EntryOf(pid);
  if (entry == nullptr) return;
  entry->resolved_at.store(now);
  entry->seen_at.store(now, std::memory_order_relaxed);
}

void IdentityCache::Insert(
    pid_t pid, Fd pidfd, const CallerTraits& traits, ViewRef view, Nanoseconds now) {
  if (!pidfd.valid() || callers_max_ == 0) return;
  auto entry = std::make_shared<Entry>();
  entry->pidfd = std::move(pidfd);
  auto cgroup_file = pids_.OpenFile(pid, "cgroup");
  if (cgroup_file) entry->cgroup_file = std::move(*cgroup_file);
  entry->cgroup_namespace = traits.cgroup_namespace;
  entry->cgroup_text = traits.cgroup_text;
  entry->view = std::move(view);
  entry->resolved_at.store(now);
  entry->seen_at.store(now, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  if (!entries_.contains(pid)) MakeRoom(now);
  entries_[pid] = std::move(entry);
}

// With mutex_ held. Where more callers take turns than there is room for, dropping the oldest would
// each time drop the one that comes next, and dropping all would help nobody; so any one goes.
void IdentityCache::MakeRoom(Nanoseconds now) {
  if (entries_.size() < callers_max_) return;
  if (now - swept_at_ > kSweepPeriod) {
    swept_at_ = now;
    DropOlderThan(kKeptFor, now);
  }
  while (!entries_.empty() && entries_.size() >= callers_max_) entries_.erase(entries_.begin());
}

// With mutex_ held.
void IdentityCache::DropOlderThan(Nanoseconds age, Nanoseconds now) {
  EraseIf(entries_, [&](const auto& old) { return now - old.second->seen_at.load() > age; });
}

void IdentityCache::DropOld(Nanoseconds now) {
  const std::lock_guard lock(mutex_);
  DropOlderThan(kKeptFor, now);
}

std::unordered_map<const View*, size_t> IdentityCache::CountReaders(Nanoseconds now) const {
  std::unordered_map<const View*, size_t> readers;
  const std::lock_guard lock(mutex_);
  for (const auto& [pid, entry] : entries_) {
    if (now - entry->seen_at.load(std::memory_order_relaxed) > kLately) continue;
    ++readers[entry->view.get()];
  }
  return readers;
}

}  // namespace core::engine
