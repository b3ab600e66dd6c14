// SPDX-License-Identifier: Apache-2.0
// The system calls that keeper and workers may make: what they, Node.js, libuv and C libraries use.
//
// Source: the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, scripts/syscall.tbl);
//         test/lifecycle/syscalls.test.ts measures what is used.
// Units:  numbers of this machine's system calls.
// Errors: none.
#pragma once

#include <cstdint>
#include <span>

namespace keeper {

// In no order. Other versions of Node.js, C libraries and kernels use others than this system's, so
// what can do no harm is there, used or not. What reaches into other processes (ptrace,
// process_vm_*, pidfd_getfd), the kernel (modules, kexec, bpf, perf_event_open, keys), the machine
// (reboot, swap, clocks, ports) or namespaces (unshare, pivot_root, chroot) is not; setns
// for a cgroup namespace alone (syscall_filter.cc).
std::span<const uint32_t> AllowedSyscalls();

// Those that the keeper needs besides: for connections, for the mounts of containers, and to refuse
// them to its workers.
std::span<const uint32_t> KeepersSyscalls();

}  // namespace keeper
