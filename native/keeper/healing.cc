// SPDX-License-Identifier: Apache-2.0
// What a keeper does when a connection was ended from outside: by umount2(MNT_FORCE) in a container
// that may do so, by fusectl's abort, or by an unmount.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "keeper/containers.h"
#include "keeper/keeper.h"
#include "keeper/log.h"
#include "keeper/worker.h"
#include "mounts/connection_mount.h"
#include "mounts/stable_tree.h"

namespace keeper {
namespace {

using core::LinkFd;
using core::Nanoseconds;
using core::NowMonotonic;
using core::Status;
using core::SystemError;
using core::Unit;

constexpr Nanoseconds kDelayMin = std::chrono::milliseconds(250);
constexpr Nanoseconds kDelayMax = std::chrono::seconds(5);
// After so long without a loss the next one is healed at once again.
constexpr Nanoseconds kCalmAfter = std::chrono::seconds(10);

// A look does not wait, and so is woken by no request.
bool IsLost(int connection) {
  pollfd polled{.fd = connection, .events = 0, .revents = 0};
  return poll(&polled, 1, 0) > 0 && (polled.revents & (POLLERR | POLLNVAL)) != 0;
}

// Nothing in the memory is about the new connection: it begins like the first one.
void Forget(int journal, LinkFd connection) {
  constexpr int kZero = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  const off_t index = connection;
  (void)fallocate(journal, kZero, index * core::kJournalBytes, core::kJournalBytes);
  (void)fallocate(
      journal, kZero, core::kRingsOffset + index * core::kRingsBytes, core::kRingsBytes);
}

}  // namespace

// The kernel ends a connection when its last mount is gone, and when it is told to.
void Keeper::OnLost() {
  if (is_stopping_ || heal_at_ || !HasLostAny()) return;
  const Nanoseconds now = NowMonotonic();
  const bool is_calm = now - healed_at_ > kCalmAfter || healed_at_ == Nanoseconds{};
  heal_delay_ = is_calm ? Nanoseconds{} : std::clamp(heal_delay_ * 2, kDelayMin, kDelayMax);
  heal_at_ = now + heal_delay_;
  Log("error", "A connection was ended from outside, making a new one");
  // At once: whoever follows the tree sees the host's files meanwhile.
  if (!IsLost(options_.fds.at(core::kSharedFd))) return;
  is_stacked_ = false;
  (void)mounts::StackLayer(options_.tree, options_.native);
}

bool Keeper::HasLostAny() const {
  return IsLost(options_.fds.at(core::kSharedFd)) || IsLost(options_.fds.at(core::kPinnedFd));
}

Status Keeper::Renew(LinkFd connection) {
  const bool is_shared = connection == core::kSharedFd;
  const std::string path = options_.run_dir + (is_shared ? "/mnt/shared" : "/mnt/pinned");
  const bool is_writable = is_shared && options_.takes_triggers;
  auto mounted = mounts::MountConnection(
      path, is_writable ? mounts::Access::kReadWrite : mounts::Access::kReadOnly);
  if (!mounted) return mounted.error();
  // Under the number that workers are given it by.
  if (dup3(mounted->get(), options_.fds.at(connection), O_CLOEXEC) < 0) {
    return SystemError("duplicate", path);
  }
  Forget(options_.fds.at(core::kJournalFd), connection);
  const std::string name = std::string("FDNAME=lensfs-") + (is_shared ? "shared" : "pinned");
  notifier_.Send("FDSTOREREMOVE=1\n" + name);
  notifier_.Send("FDSTORE=1\nFDPOLL=0\n" + name, {&options_.fds.at(connection), 1});
  return Unit{};
}

void Keeper::Heal() {
  heal_at_.reset();
  healed_at_ = NowMonotonic();
  for (const LinkFd connection : {core::kSharedFd, core::kPinnedFd}) {
    if (!IsLost(options_.fds.at(connection))) continue;
    const Status renewed = Renew(connection);
    if (renewed) continue;
    LogFailure("Cannot make a new connection", renewed.error());
    Complain("\"" + options_.tree +
             "\" is gone: somebody unmounted it or aborted the connection; start lensfs again");
    is_lost_ = true;
    return Stop(1);
  }
  RememberDevices({.tree = options_.tree, .run_dir = options_.run_dir});
  must_return_ = true;
  is_healing_ = true;
  // Workers have the old descriptors.
  if (next_) next_->Kill();
  next_.reset();
  is_replacing_ = false;
  start_at_.reset();
  if (!active_) return Start();
  active_->Kill();
}

}  // namespace keeper
