// SPDX-License-Identifier: Apache-2.0
// Notices requests that take longer than a reader's others should wait for.
//
// A reader says with one look at a flag that it has begun a request; the watching thread sleeps
// while nobody does anything.
//
// Source: eventfd(2): waking takes no lock, which a task that is killed would leave locked.
// Units:  std::chrono.
// Errors: none.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "core/base/clock.h"
#include "core/base/fd.h"

namespace fuse_layer {

class SlowWatch {
 public:
  // A request that has taken so long is looked after.
  static constexpr core::Nanoseconds kSlow = std::chrono::milliseconds(50);

  // `look()` finds those that are slow now; false: nobody has had a request since the last look.
  explicit SlowWatch(std::function<bool()> look);
  ~SlowWatch();
  SlowWatch(const SlowWatch&) = delete;
  SlowWatch& operator=(const SlowWatch&) = delete;

  // A request has begun, as look() can see.
  void OnRequest() {
    if (is_asleep_.load()) Wake();
  }

 private:
  void Run();
  void Wake();

  const std::function<bool()> look_;
  const core::Fd wake_;
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // last: it uses all of the above
};

// Of one reader or task; the watching thread's own.
struct SeenTurns {
  uint64_t turns = 0;
  core::Nanoseconds since{};

  struct Finding {
    bool has_moved = false;  // has, or has had, a request since the last look
    bool is_slow = false;
  };
  // `now_turns` is odd while it is at a request.
  Finding Look(uint64_t now_turns, core::Nanoseconds now) {
    const bool is_busy = now_turns % 2 == 1;
    const Finding finding{
        .has_moved = is_busy || now_turns != turns,
        .is_slow = is_busy && now_turns == turns && now - since >= SlowWatch::kSlow};
    if (now_turns != turns) since = now;
    turns = now_turns;
    return finding;
  }
};

}  // namespace fuse_layer
