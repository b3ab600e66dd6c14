// SPDX-License-Identifier: Apache-2.0
// What root may do that this process and all that it starts have no use for, given up for good.
//
// Source: capabilities(7), PR_CAPBSET_DROP and PR_SET_NO_NEW_PRIVS of prctl(2).
// Units:  none.
// Errors: none; where it may not be given up (no CAP_SETPCAP), there is less to give up.
#pragma once

namespace keeper {

// Kept, and what for:
//   CAP_SYS_ADMIN        mounts, and the namespaces of containers
//   CAP_SYS_PTRACE       /proc/<pid>/ns and mountinfo of processes of other users
//   CAP_DAC_READ_SEARCH  open_by_handle_at(2), and the host's files that are for root
//   CAP_DAC_OVERRIDE     directories of other users on the way to the tree
//   CAP_SYS_RESOURCE     descriptors beyond the hard limit, and a low oom_score_adj
//   CAP_KILL             workers that do not end
// and for the keeper alone:
//   CAP_SYS_CHROOT       setns(2) into the mounts of containers
//   CAP_SYS_NICE         workers that come up on a busy machine
void GiveUpPrivileges();

// In a process that is about to become a worker.
void GiveUpKeepersPrivileges();

}  // namespace keeper
