// SPDX-License-Identifier: Apache-2.0
#include "fuse/ticker.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <thread>

#include "core/base/precedence.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"

namespace fuse_layer {
namespace {

constexpr auto kPeriod = std::chrono::seconds(5);

}  // namespace

Ticker::Ticker(core::engine::Engine& engine) : engine_(engine), thread_([this] { Run(); }) {}

void Ticker::Wake() {
  {
    const std::lock_guard lock(mutex_);
    is_wanted_ = true;
  }
  wake_.notify_all();
}

Ticker::~Ticker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Ticker::Run() {
  sigset_t blocked;
  sigfillset(&blocked);
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
  core::GiveUpPrecedence();
  pthread_setname_np(pthread_self(), "lensfs-ticker");
  core::engine::Scratch scratch;
  // From a fixed start, so that a slow tick does not push the next ones away.
  auto next = std::chrono::steady_clock::now() + kPeriod;
  auto rested_at = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next) {
      lock.unlock();
      engine_.Tick(scratch);
      lock.lock();
      while (next <= std::chrono::steady_clock::now()) next += kPeriod;
    } else if (is_wanted_ && now >= rested_at) {
      is_wanted_ = false;
      lock.unlock();
      const bool has_counted = engine_.CountWanted(scratch);
      lock.lock();
      is_wanted_ = is_wanted_ || has_counted;  // there may be another one
      const auto end = std::chrono::steady_clock::now();
      // As long as it took: counting takes half of a CPU at most, whoever asks for it.
      rested_at = end + (end - now);
    } else {
      const auto until = is_wanted_ ? std::min(next, rested_at) : next;
      (void)wake_.wait_until(lock, until);
    }
  }
}

}  // namespace fuse_layer
