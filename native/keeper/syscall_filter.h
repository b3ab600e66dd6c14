// SPDX-License-Identifier: Apache-2.0
// The system calls that this process and all that it starts have no use for, refused for good.
//
// Source: seccomp(2), Documentation/userspace-api/seccomp_filter.rst.
// Units:  none.
// Errors: ENOSYS on machines that have no list; else the errno of seccomp(2): EINVAL where the
//         kernel has no filters, EPERM where somebody else's filter wants no more of them.
#pragma once

#include <cstdint>

#include "core/base/result.h"

namespace keeper {

// What is not in syscalls.h fails with ENOSYS, as on a kernel that does not have it: libraries then
// do without. To kill the process instead would take the files of all containers away. Needs
// no_new_privs, and a process of one thread.
enum class Allowed : uint8_t { kWorker, kKeeper };

core::Status RefuseOtherSyscalls(Allowed allowed);

}  // namespace keeper
