// SPDX-License-Identifier: Apache-2.0
#include "keeper/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

namespace keeper {
namespace {

// Two words of 32 bits each, as _LINUX_CAPABILITY_VERSION_3 has them.
constexpr uint64_t kMostCapabilities = 64;

constexpr uint64_t Bit(uint64_t capability) {
  return uint64_t{1} << capability;
}

constexpr uint64_t kWorkers = Bit(CAP_SYS_ADMIN) | Bit(CAP_SYS_PTRACE) | Bit(CAP_DAC_READ_SEARCH) |
                              Bit(CAP_DAC_OVERRIDE) | Bit(CAP_SYS_RESOURCE) | Bit(CAP_KILL);
// To enter containers' mounts, and to have a worker come up on a busy machine.
constexpr uint64_t kKeepers = kWorkers | Bit(CAP_SYS_CHROOT) | Bit(CAP_SYS_NICE);

void Keep(uint64_t capabilities) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return;
  for (uint64_t word = 0; word < sets.size(); ++word) {
    const auto kept = static_cast<uint32_t>(capabilities >> (32 * word));
    sets[word].permitted &= kept;
    sets[word].effective &= kept;
    sets[word].inheritable = 0;
  }
  (void)syscall(SYS_capset, &header, sets.data());
}

}  // namespace

void GiveUpPrivileges() {
  for (uint64_t capability = 0; capability < kMostCapabilities; ++capability) {
    if ((kKeepers & Bit(capability)) == 0) (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  Keep(kKeepers);
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// A program that is executed gets none of them back: no_new_privs is set.
void GiveUpKeepersPrivileges() {
  Keep(kWorkers);
}

}  // namespace keeper
