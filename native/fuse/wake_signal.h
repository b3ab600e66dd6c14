// SPDX-License-Identifier: Apache-2.0
// The signal that ends a system call of a thread that waits for requests, and is counted.
//
// Source: signal(7). Node.js and libuv use no real-time signals.
// Units:  none.
// Errors: none.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>

namespace fuse_layer {

inline int WakeSignal() {
  return SIGRTMIN + 3;
}

// How often it has come to any thread.
inline std::atomic<uint64_t>& WakeCount() {
  static constinit std::atomic<uint64_t> count{0};
  return count;
}

inline void InstallWakeSignal() {
  struct sigaction action{};
  action.sa_handler = [](int /*signal*/) { WakeCount().fetch_add(1); };
  // Without SA_RESTART: the call must end.
  sigaction(WakeSignal(), &action, nullptr);
}

// All others are the main thread's business, but for those that say that this one has failed.
inline void BlockAllButWakeSignal() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int own : {WakeSignal(), SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) {
    sigdelset(&blocked, own);
  }
  pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
}

}  // namespace fuse_layer
