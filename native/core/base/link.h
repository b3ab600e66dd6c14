// SPDX-License-Identifier: Apache-2.0
// What the keeper and a worker say to each other.
//
// Source: unix(7), SOCK_SEQPACKET: one message a packet, with descriptors (SCM_RIGHTS).
// Units:  none.
// Errors: ECONNRESET when the other end is gone; EBADMSG for what is no message of ours; the errno
// of
//         the system call otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace core {

enum class LinkMessage : uint8_t {
  kNone,  // a packet that nothing has come into
  // From the worker.
  kBooted = 1,  // it can be told to serve
  kServing,     // it answers requests
  kStacked,     // the tree shows its files; value: 0, or the errno of what failed
  kReleased,    // its readers have ended; a successor may begin
  kPong,        // it is well
  kStuck,       // a reader does not come back from a request
  kStopWanted,  // somebody has asked it to stop lensfs
  kLost,        // requests do not come any more; lensfs is to end
  kLogLevel,    // value: the keeper's own lines from this level on, see keeper/log.h
  kHandover,    // with the descriptors, to a keeper that takes over
  kStarted,     // its program runs, not only what answers requests
  kProblems,    // value: how many the configuration has, in whose place the last good one is
  // From a keeper, to one that takes its place; see core/base/handover.h.
  kKeeperHandover = 32,
  // From the keeper.
  kServe = 64,  // value: how many workers have been told so, this one included; kServeForgives
  kStack,       // put the files on the tree
  kPing,
  kRelease,  // end your readers, say so and exit
};

// With kServe: somebody from outside killed the predecessor, so that no request of its is to blame.
inline constexpr uint32_t kServeForgives = uint32_t{1} << 31;

// What outlives every worker.
enum LinkFd : uint8_t {
  kSharedFd,  // the connections: mounted /dev/fuse descriptors
  kPinnedFd,
  kJournalFd,  // memory for fuse/journal.h and core/engine/counter_memory.h
  kConfigFd,   // memory for the configuration in force
  kControlFd,  // the control socket, listening
  kTreeFd,     // the lock of the tree
  kLinkFdCount
};

// The parts of the journal's memory that are one connection's, by its number above: requests at
// the beginning, rings far behind.
inline constexpr int64_t kJournalBytes = int64_t{4} * 1024 * 1024;
inline constexpr int64_t kRingsOffset = int64_t{1} << 40;
inline constexpr int64_t kRingsBytes = int64_t{1} << 32;

// Their numbers in a worker that a keeper has started, after its end of the link.
inline constexpr int kWorkerLinkFd = 3;
inline constexpr int kWorkerFirstFd = 4;
// The environment variable that says which library the keeper has put first into LD_PRELOAD.
inline constexpr const char* kPreloadVariable = "PRELOADED_BY_LENSFS";

struct LinkPacket {
  LinkMessage message = LinkMessage::kNone;
  uint32_t value = 0;
  std::array<Fd, kLinkFdCount> fds;  // valid with kHandover and kKeeperHandover only
  Fd link;                           // one more, with kKeeperHandover
};

// Never waits: an end that does not read its packets is not well.
Status SendLink(int socket, LinkMessage message, uint32_t value = 0, std::span<const int> fds = {});

// Waits for one packet; its descriptors are close-on-exec.
Result<LinkPacket> ReceiveLink(int socket);

}  // namespace core
