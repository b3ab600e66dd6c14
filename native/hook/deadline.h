// SPDX-License-Identifier: Apache-2.0
// Work that may wait for a daemon that does not answer, in a process that can be given up.
//
// Source: fuse(4): a request that a daemon has taken cannot be interrupted.
// Units:  std::chrono.
// Errors: ETIMEDOUT when the work was given up; the errno of pipe or fork.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace hook {

// Runs `work` in a child process and gives the text it returned. The child holds none of the
// standard streams, whose end the runtime waits for.
core::Result<std::string> RunWithDeadline(std::chrono::milliseconds limit,
                                          const std::function<std::string()>& work);

}  // namespace hook
