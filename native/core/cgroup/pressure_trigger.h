// SPDX-License-Identifier: Apache-2.0
// What a program writes into a pressure file to be told of stalls.
//
// Source: Documentation/accounting/psi.rst; kernel/sched/psi.c: psi_trigger_create().
// Units:  microseconds.
// Errors: EINVAL for what the kernel would refuse too.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace core::cgroup {

// `text` ("some 150000 1000000") as the kernel takes it from a process without CAP_SYS_RESOURCE:
// with a window of a multiple of 2 s. Others are made longer, and the stall with them, so that the
// share of the time is what was asked for.
Result<std::string> NormalizeTrigger(std::string_view text);

}  // namespace core::cgroup
