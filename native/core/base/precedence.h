// SPDX-License-Identifier: Apache-2.0
// Who comes first on a busy CPU: the keeper, a worker's beginning and its control API. They have
// little to do and are waited for; those that answer reads share the CPUs with the readers.
//
// Source: sched(7), the nice value and autogroups; setpriority(2); RLIMIT_NICE of getrlimit(2).
// Units:  nice values.
// Errors: none; without CAP_SYS_NICE and CAP_SYS_RESOURCE all threads are equal.
#pragma once

namespace core {

// For this process and all that it starts. A nice value that somebody has chosen stays.
void TakePrecedence();
// For the session that this process has begun: where sessions share the CPUs (autogroups), nice
// values count only among the tasks of one.
void TakeSessionPrecedence();
// For the calling thread, and those it starts.
void GiveUpPrecedence();

}  // namespace core
