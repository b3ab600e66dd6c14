// SPDX-License-Identifier: Apache-2.0
// Work that may wait for a daemon that does not answer, in a process that can be given up.
//
// Source: fuse(4): a request that a daemon has taken cannot be interrupted.
// Units:  std::chrono.
// Errors: ETIMEDOUT when the work was given up; ECHILD when it crashed; the errno of mmap or clone.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace hook {

struct Patience {
  // Without a step: a daemon that hangs. A busy machine delays each step, and all of them for long.
  std::chrono::milliseconds silence;
  std::chrono::milliseconds total;
};

// Calls its argument after each step.
using Work = std::function<std::string(const std::function<void()>& on_step)>;

// Runs `work` in a child process and gives the text it returned. The child shares the memory, of
// which it may change what it has allocated (with `new`, see heap.cc), and holds none of the
// standard streams, whose end the runtime waits for.
core::Result<std::string> RunWithDeadline(const Patience& patience, const Work& work);

}  // namespace hook
