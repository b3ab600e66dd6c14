// SPDX-License-Identifier: Apache-2.0
// Pressure triggers that programs have written into files of ours: each is written into the
// kernel's file that a read shows, of the writer's cgroup where that has one, and what the kernel
// tells there is passed on to who polls.
//
// Source: Documentation/accounting/psi.rst; fuse.h: FUSE_POLL, FUSE_NOTIFY_POLL.
// Units:  microseconds in the text of a trigger.
// Errors: EINVAL for a text that is no trigger, EBUSY for a second one on a handle, ENOSPC when a
//         view or all together have too many; errno of opening and writing the cgroup's file.
#pragma once

#include <poll.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"

namespace fuse_layer {

// In memory that outlives the process, and valid when it is zero.
struct TriggerSlot {
  static constexpr size_t kTextBytes = 40;

  std::atomic<uint64_t> handle;  // 0: free; written last
  uint64_t poll_handle;          // the kernel's name for who sleeps in poll; 0: nobody ever did
  uint64_t cgroup_inode;         // of the view, 0: the host's root
  uint32_t cgroup_controller;
  uint32_t file;  // the index in the catalog
  uint32_t seen;  // of `events`, by poll
  std::atomic<uint32_t> events;
  char text[kTextBytes];
};

// Safe from any thread.
class Triggers {
 public:
  static constexpr size_t kSlots = 1024;
  static constexpr size_t kPerView = 64;
  // What poll(2) says of a file that nobody has to wait for.
  static constexpr unsigned kReady = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

  // `engine` and `slots` must outlive the triggers.
  Triggers(core::engine::Engine& engine, std::span<TriggerSlot> slots)
      : engine_(engine), slots_(slots) {}
  ~Triggers() { Stop(); }
  Triggers(const Triggers&) = delete;
  Triggers& operator=(const Triggers&) = delete;

  // Sets up those that a predecessor has left; before anybody is answered.
  core::Status Restore(core::engine::Scratch& scratch);
  // Has those who poll them look again, and goes on to call `wake(poll_handle)` for each event.
  void Start(std::function<void(uint64_t)> wake);

  // Ends the thread; nobody is told anything any more.
  void Stop();

  // A handle whose trigger has that text already has it still: a request may come twice.
  core::Status Arm(uint64_t handle,
                   size_t file,
                   const core::engine::View& view,
                   std::string_view text);
  // The events of poll(2) on a pressure file. `poll_handle` when the caller is about to sleep.
  unsigned Poll(uint64_t handle, std::optional<uint64_t> poll_handle);
  void Close(uint64_t handle);

 private:
  struct Armed {
    TriggerSlot* slot = nullptr;
    core::Fd fd;  // of the kernel's file; its trigger lives as long. Invalid: the cgroup is gone
  };

  core::Status Watch(TriggerSlot& slot, core::Fd fd);
  void RestoreOne(TriggerSlot& slot, core::engine::Scratch& scratch);
  core::Result<core::Fd> OpenAgain(const TriggerSlot& slot, core::engine::Scratch& scratch);
  void Run();
  void Pass(uint64_t handle, uint32_t events);

  core::engine::Engine& engine_;
  const std::span<TriggerSlot> slots_;
  std::function<void(uint64_t)> wake_;
  std::mutex mutex_;  // guards slots and armed_
  std::unordered_map<uint64_t, Armed> armed_;
  std::atomic<size_t> count_{0};  // of armed_, for those who close other files
  core::Fd epoll_;
  core::Fd stop_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace fuse_layer
