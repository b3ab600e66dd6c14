// SPDX-License-Identifier: Apache-2.0
// The signal that ends a system call of a thread that waits for requests, and does nothing else.
//
// Source: signal(7). Node.js and libuv use no real-time signals.
// Units:  none.
// Errors: none.
#pragma once

#include <signal.h>

namespace fuse_layer {

inline int WakeSignal() {
  return SIGRTMIN + 3;
}

inline void InstallWakeSignal() {
  struct sigaction action{};
  action.sa_handler = [](int /*signal*/) {};  // without SA_RESTART: the call must end
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
