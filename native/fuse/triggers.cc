// SPDX-License-Identifier: Apache-2.0
#include "fuse/triggers.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "core/base/precedence.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/pressure_trigger.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Fd;
using core::Status;
using core::SystemError;
using core::Unit;

// What the kernel says of a pressure file without a trigger, or whose cgroup is gone.
constexpr unsigned kBroken = Triggers::kReady | POLLERR | POLLPRI;

// No handle is: they count from the time since boot.
constexpr uint64_t kStopMark = 0;

core::engine::CgroupId CgroupOf(const TriggerSlot& slot) {
  return {.controller = static_cast<core::cgroup::Controller>(slot.cgroup_controller),
          .inode = slot.cgroup_inode};
}

Status WriteTrigger(const Fd& fd, std::string_view text) {
  // The kernel takes the byte after the text for its end.
  const std::string terminated(text);
  const ssize_t written = write(fd.get(), terminated.c_str(), terminated.size() + 1);
  if (written < 0) return SystemError("write trigger", terminated);
  return Unit{};
}

}  // namespace

void Triggers::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!write(stop_.get(), &one, sizeof one);
  thread_.join();
}

Status Triggers::Restore(core::engine::Scratch& scratch) {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_.valid() || !stop_.valid()) return SystemError("watch", "pressure triggers");
  epoll_event stop{.events = EPOLLIN, .data = {.u64 = kStopMark}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &stop) != 0) {
    return SystemError("watch", "pressure triggers");
  }
  const std::lock_guard lock(mutex_);
  for (TriggerSlot& slot : slots_) {
    if (slot.handle.load() != 0) RestoreOne(slot, scratch);
  }
  return Unit{};
}

void Triggers::Start(std::function<void(uint64_t)> wake) {
  wake_ = std::move(wake);
  std::vector<uint64_t> sleepers;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [handle, armed] : armed_) sleepers.push_back(armed.slot->poll_handle);
  }
  for (const uint64_t sleeper : sleepers) {
    if (sleeper != 0) wake_(sleeper);
  }
  thread_ = std::thread([this] { Run(); });
}

core::Result<Fd> Triggers::OpenAgain(const TriggerSlot& slot, core::engine::Scratch& scratch) {
  const bool is_known = slot.file < core::catalog::Files().size() &&
                        slot.cgroup_controller < core::cgroup::kControllerCount;
  if (!is_known || !engine_.TakesTriggers(slot.file)) {
    return Error{.errno_value = EINVAL, .operation = "set again", .path = "pressure trigger"};
  }
  const auto view = slot.cgroup_inode == 0 ? engine_.ViewOfCgroup("/", scratch)
                                           : engine_.ViewOfCgroupId(CgroupOf(slot), scratch);
  if (!view) return view.error();
  auto fd = engine_.OpenPressure(slot.file, **view);
  if (!fd) return fd;
  const Status written =
      WriteTrigger(*fd, {slot.text, strnlen(slot.text, TriggerSlot::kTextBytes)});
  if (!written) return written.error();
  return fd;
}

// With mutex_ held.
void Triggers::RestoreOne(TriggerSlot& slot, core::engine::Scratch& scratch) {
  const uint64_t handle = slot.handle.load();
  auto fd = OpenAgain(slot, scratch);
  const bool works = fd && Watch(slot, std::move(*fd));
  if (!works) armed_.insert_or_assign(handle, Armed{.slot = &slot, .fd = Fd()});
  count_.store(armed_.size(), std::memory_order_relaxed);
}

// With mutex_ held.
Status Triggers::Watch(TriggerSlot& slot, Fd fd) {
  epoll_event event{.events = EPOLLPRI, .data = {.u64 = slot.handle.load()}};
  const int descriptor = fd.get();
  armed_.insert_or_assign(slot.handle.load(), Armed{.slot = &slot, .fd = std::move(fd)});
  count_.store(armed_.size(), std::memory_order_relaxed);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return Unit{};
  const Error error = SystemError("watch", "pressure trigger");
  armed_.erase(slot.handle.load());
  return error;
}

Status Triggers::Arm(uint64_t handle,
                     size_t file,
                     const core::engine::View& view,
                     std::string_view text) {
  const auto normal = core::cgroup::NormalizeTrigger(text);
  if (!normal) return normal.error();
  const auto refuse = [&normal](int errno_value) {
    return Error{.errno_value = errno_value, .operation = "set trigger", .path = *normal};
  };
  auto fd = engine_.OpenPressure(file, view);
  if (!fd) return fd.error();
  Status written = WriteTrigger(*fd, *normal);
  if (!written) return written;
  const std::lock_guard lock(mutex_);
  const auto known = armed_.find(handle);
  if (known != armed_.end()) {
    if (*normal == known->second.slot->text) return Unit{};
    return refuse(EBUSY);
  }
  const auto cgroup = core::engine::IdOf(view).value_or(core::engine::CgroupId{});
  TriggerSlot* free = nullptr;
  size_t of_view = 0;
  for (TriggerSlot& slot : slots_) {
    if (slot.handle.load() == 0) {
      if (free == nullptr) free = &slot;
    } else if (CgroupOf(slot) == cgroup) {
      ++of_view;
    }
  }
  if (free == nullptr || of_view >= kPerView) return refuse(ENOSPC);
  free->poll_handle = 0;
  free->cgroup_inode = cgroup.inode;
  free->cgroup_controller = static_cast<uint32_t>(cgroup.controller);
  free->file = static_cast<uint32_t>(file);
  free->seen = 0;
  free->events.store(0);
  const size_t length = std::min(normal->size(), TriggerSlot::kTextBytes - 1);
  std::memcpy(free->text, normal->data(), length);
  free->text[length] = '\0';
  free->handle.store(handle);
  const Status watched = Watch(*free, std::move(*fd));
  if (!watched) free->handle.store(0);
  return watched;
}

unsigned Triggers::Poll(uint64_t handle, std::optional<uint64_t> poll_handle) {
  const std::lock_guard lock(mutex_);
  const auto known = armed_.find(handle);
  if (known == armed_.end()) return kBroken;
  TriggerSlot& slot = *known->second.slot;
  if (poll_handle) slot.poll_handle = *poll_handle;
  if (!known->second.fd.valid()) return kBroken;
  const uint32_t events = slot.events.load();
  if (events == slot.seen) return kReady;
  slot.seen = events;
  return kReady | POLLPRI;
}

void Triggers::Close(uint64_t handle) {
  if (count_.load(std::memory_order_relaxed) == 0) return;
  const std::lock_guard lock(mutex_);
  const auto known = armed_.find(handle);
  if (known == armed_.end()) return;
  known->second.slot->handle.store(0);
  // Closing the descriptor takes it out of the set that is watched.
  armed_.erase(known);
  count_.store(armed_.size(), std::memory_order_relaxed);
}

void Triggers::Run() {
  sigset_t blocked;
  sigfillset(&blocked);
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  core::GiveUpPrecedence();
  pthread_setname_np(pthread_self(), "lensfs-triggers");
  std::array<epoll_event, 16> ready{};
  for (;;) {
    const int count =
        epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()), /*timeout=*/-1);
    if (count < 0 && errno != EINTR) return;
    for (int index = 0; index < count; ++index) {
      if (ready[index].data.u64 == kStopMark) return;
      Pass(ready[index].data.u64, ready[index].events);
    }
  }
}

void Triggers::Pass(uint64_t handle, uint32_t events) {
  uint64_t sleeper = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto known = armed_.find(handle);
    if (known == armed_.end()) return;
    TriggerSlot& slot = *known->second.slot;
    if ((events & EPOLLERR) != 0) known->second.fd.reset();
    slot.events.fetch_add(1);
    sleeper = slot.poll_handle;
  }
  if (sleeper != 0) wake_(sleeper);
}

}  // namespace fuse_layer
