// SPDX-License-Identifier: Apache-2.0
#include "core/base/short_turns.h"

#include <linux/sched/types.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace core {

void TakeShortTurns() {
  constexpr unsigned kTurnNsec = 100'000;
  constexpr int kThisThread = 0;
  sched_attr attributes{};
  if (syscall(SYS_sched_getattr, kThisThread, &attributes, sizeof attributes, 0) != 0) return;
  attributes.sched_runtime = kTurnNsec;
  (void)syscall(SYS_sched_setattr, kThisThread, &attributes, 0);
}

}  // namespace core
