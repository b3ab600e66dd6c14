// SPDX-License-Identifier: Apache-2.0
// The cgroup namespace in which every container's cgroup has the path that it has on the host. A
// process in one of its own, such as a container of Docker on cgroup v2, reads /../ paths instead,
// which are found nowhere.
//
// Source: cgroup_namespaces(7), setns(2); the first namespace's number: PROC_CGROUP_INIT_INO of the
//         kernel's proc_ns.h.
// Units:  none.
// Errors: EPERM of setns; EACCES where the namespace of the first process is another one that is
//         not ours to open.
#pragma once

#include <string>

#include "core/base/result.h"

namespace core::proc {

// Brings the calling thread, and the threads and processes that it starts, into the cgroup
// namespace of process 1 of the proc file system at `proc_root`. Without one there, or on a kernel
// without such namespaces, nothing happens.
Status EnterHostCgroupNamespace(const std::string& proc_root);

}  // namespace core::proc
