// SPDX-License-Identifier: Apache-2.0
// How soon a thread runs that has something to do.
//
// Source: sched_setattr(2), sched_runtime; kernel/sched/fair.c: __setparam_fair (Linux >= 6.12).
// Units:  none.
// Errors: none, only a hint; an older kernel ignores it.
#pragma once

namespace core {

// Gives the calling thread, and those it starts, turns of 100 µs: they come soon after they are
// asked for, also on a busy CPU, and are no more of it.
void TakeShortTurns();

}  // namespace core
