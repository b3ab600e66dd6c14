// SPDX-License-Identifier: Apache-2.0
#include "fuse/slow_watch.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

namespace fuse_layer {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(25);

}  // namespace

SlowWatch::SlowWatch(std::function<bool()> look)
    : look_(std::move(look)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {}

SlowWatch::~SlowWatch() {
  stopping_.store(true);
  Wake();
  thread_.join();
}

void SlowWatch::Wake() {
  is_asleep_.store(false);
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof one);
}

// With the precedence that it was started with: it comes before the readers that it looks at.
void SlowWatch::Run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  pthread_setname_np(pthread_self(), "lensfs-watch");
  while (!stopping_.load()) {
    if (look_()) {
      std::this_thread::sleep_for(kLookEvery);
      continue;
    }
    is_asleep_.store(true);
    // A request may have begun before its reader could see that.
    if (look_()) {
      is_asleep_.store(false);
      continue;
    }
    pollfd waiting{.fd = wake_.get(), .events = POLLIN, .revents = 0};
    if (!stopping_.load()) (void)poll(&waiting, 1, -1);
    uint64_t count = 0;
    (void)!read(wake_.get(), &count, sizeof count);
    is_asleep_.store(false);
  }
}

}  // namespace fuse_layer
