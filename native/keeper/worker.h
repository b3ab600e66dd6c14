// SPDX-License-Identifier: Apache-2.0
// A process that answers requests, as its keeper sees it.
//
// Source: core/base/link.h.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: errno of the system calls.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "core/base/task_watch.h"
#include "keeper/options.h"

namespace keeper {

struct Worker {
  enum class State : uint8_t {
    kBooting,
    kBooted,  // could be told to serve
    kAsked,   // was told
    kServing,
    kReleasing,  // was told to let go
    kReleased,   // has let go, and is about to exit
    kKilled,
  };

  pid_t pid = 0;
  bool is_child = true;  // false: another keeper's, whose end is that of its link
  core::Fd link;
  State state = State::kBooting;
  core::Nanoseconds since{};       // of the state
  core::Nanoseconds heard_at{};    // of its last sign of life
  core::Nanoseconds started_at{};  // of its program; 0 before
  core::Nanoseconds starved_at{};  // when it was last seen to wait for a CPU in vain
  core::Nanoseconds well_until{};  // for one that was killed: when it was last known to be well
  core::TaskWatch watch;           // of its tasks, while it is silent

  void Enter(State next) {
    state = next;
    since = heard_at = core::NowMonotonic();
    watch.Reset();
  }
  void Hear() {
    heard_at = core::NowMonotonic();
    watch.Reset();
  }
  [[nodiscard]] core::Nanoseconds TimeInState() const { return core::NowMonotonic() - since; }
  // Whether it has answered requests, and its program has run, for so long.
  [[nodiscard]] bool HasLasted(core::Nanoseconds time) const {
    return state == State::kServing && started_at != core::Nanoseconds{} && TimeInState() >= time &&
           core::NowMonotonic() - started_at >= time;
  }
  // Whoever cannot be told anything any more is found out by its silence.
  void Send(core::LinkMessage message, uint32_t value = 0) const {
    (void)core::SendLink(link.get(), message, value);
  }
  // Whether it has been in its state, or silent, for longer than a healthy one would be. Time in
  // which it waits for a CPU does not count. To be asked at regular times.
  [[nodiscard]] bool IsStuck();
  // Whether another keeper's has closed its link.
  [[nodiscard]] bool HasLeft() const;
  // Whether it was killed and is not gone, because the kernel waits for somebody in it.
  [[nodiscard]] bool DoesNotEnd() const;
  // `unwell` is for how long it has been known not to be well, besides its silence.
  void Kill(core::Nanoseconds unwell = {});

 private:
  [[nodiscard]] bool IsStarved();
};

// Starts the worker of `options`. `oom_score` is what it gets back of what the keeper has changed
// for itself.
core::Result<Worker> Spawn(const Options& options, int oom_score);

// A worker that serves, at the other end of `link`; `pid` 0 is the peer of its connection.
core::Result<Worker> Adopt(int link, pid_t pid);

}  // namespace keeper
