// SPDX-License-Identifier: Apache-2.0
// Takes a daemon's files away from a container that is to go on without it.
//
// What follows the public tree (rslave) shows the host's files already, as those have been stacked
// on it: only mounts whose topmost file is still a connection's are touched. Where a file of the
// kernel's lies below it comes to light; elsewhere the host's own is put on top, which Repair()
// renews.
//
// Source: mount_namespaces(7), umount2(2).
// Units:  none.
// Errors: as in process.h.
//
// Changes the calling thread's namespaces for good: call it in a process that ends afterwards.
#pragma once

#include <string>
#include <vector>

#include "attach/file_set.h"
#include "attach/process.h"
#include "core/base/result.h"

namespace attach {

// The devices of connections, as "major:minor".
using Devices = std::vector<std::string>;

// Whether the process sees a mount of one of them.
core::Result<bool> HasMountOf(const Process& process, const Devices& devices);

// The files that the container has had, which it is to get back.
core::Result<FileSet> Withdraw(const Process& process, const Devices& devices);

}  // namespace attach
