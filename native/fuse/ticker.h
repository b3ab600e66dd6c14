// SPDX-License-Identifier: Apache-2.0
// The thread that ticks the engine every 5 s of wall time, and counts tasks that are too many for
// a reader.
//
// Source: none.
// Units:  std::chrono.
// Errors: none.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/engine/engine.h"

namespace fuse_layer {

class Ticker {
 public:
  // `engine` must outlive the ticker.
  explicit Ticker(core::engine::Engine& engine);
  // Waits for the tick that is under way, if any.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // A reader wants tasks to be counted.
  void Wake();

 private:
  void Run();

  core::engine::Engine& engine_;
  std::mutex mutex_;  // guards the two flags
  std::condition_variable wake_;
  bool stopping_ = false;
  bool is_wanted_ = false;  // Engine::CountWanted() may have something to do
  std::thread thread_;      // last: it uses all of the above
};

}  // namespace fuse_layer
