// SPDX-License-Identifier: Apache-2.0
#include "fuse/ticker.h"

#include <pthread.h>
#include <signal.h>

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
  std::unique_lock lock(mutex_);
  while (!wake_.wait_until(lock, next, [this] { return stopping_; })) {
    lock.unlock();
    engine_.Tick(scratch);
    lock.lock();
    while (next <= std::chrono::steady_clock::now()) next += kPeriod;
  }
}

}  // namespace fuse_layer
