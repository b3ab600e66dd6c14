// SPDX-License-Identifier: Apache-2.0
// Where the replies that libfuse writes for the calling thread go: to the connection's descriptor,
// or into the ring's entry that the request came in.
//
// Source: libfuse's fuse_custom_io (3.14); fuse-io-uring.rst.
// Units:  none.
// Errors: as writev(2).
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>

#include "fuse/ring_memory.h"

namespace fuse_layer {

struct ReplySink {
  RingEntry* entry = nullptr;  // null: the descriptor
  uint64_t unique = 0;         // of the request in the entry
  bool has_replied = false;
  bool takes_rings = false;  // the reply is INIT's, and is to say that requests come through rings
};

ReplySink& ThreadSink();

// `error` is 0 or a negative errno.
void ReplyStatus(RingEntry& entry, uint64_t unique, int error);

// libfuse's way to write a reply.
ssize_t WriteReply(int fd, iovec* parts, int count, void* user_data);

}  // namespace fuse_layer
