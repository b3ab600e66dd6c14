// SPDX-License-Identifier: Apache-2.0
#include "keeper/syscall_filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/result.h"
#include "keeper/syscalls.h"

namespace keeper {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
constexpr uint32_t kMachine = 0;
#endif

constexpr uint32_t kRefuse = SECCOMP_RET_ERRNO | ENOSYS;
// LOG: a refused call is in the kernel's log. SPEC_ALLOW: nothing that a worker holds is secret
// enough for the guards against speculation that Linux before 5.16 would slow it down with.
constexpr uint32_t kFlags = SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

constexpr sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}

constexpr sock_filter Return(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Skips the next instruction unless what is loaded is `value`.
constexpr sock_filter If(uint32_t value) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
}

// The kernel runs it once for each number, and remembers which are allowed (Linux 5.11): the order
// costs nobody anything. x32's numbers have a bit that none of the list has.
std::vector<sock_filter> MakeProgram(Allowed allowed) {
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kMachine, 1, 0),
      Return(kRefuse),
      Load(offsetof(seccomp_data, nr)),
  };
  for (const uint32_t number : AllowedSyscalls()) {
    program.push_back(If(number));
    program.push_back(Return(SECCOMP_RET_ALLOW));
  }
  for (const uint32_t number : KeepersSyscalls()) {
    if (allowed != Allowed::kKeeper) break;
    program.push_back(If(number));
    program.push_back(Return(SECCOMP_RET_ALLOW));
  }
  // A cgroup namespace says where its root is to who is in it; no other is entered.
  program.insert(program.end(),
                 {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setns, 0, 3),
                  Load(offsetof(seccomp_data, args[1])),
                  If(CLONE_NEWCGROUP),
                  Return(SECCOMP_RET_ALLOW)});
  program.push_back(Return(kRefuse));
  return program;
}

}  // namespace

core::Status RefuseOtherSyscalls(Allowed allowed) {
  if (kMachine == 0) {
    return core::Error{.errno_value = ENOSYS, .operation = "list", .path = "system calls"};
  }
  std::vector<sock_filter> instructions = MakeProgram(allowed);
  const sock_fprog program{.len = static_cast<uint16_t>(instructions.size()),
                           .filter = instructions.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &program) != 0) {
    return core::SystemError("install", "filter of system calls");
  }
  return core::Unit{};
}

}  // namespace keeper
