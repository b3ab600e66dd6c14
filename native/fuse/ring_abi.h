// SPDX-License-Identifier: Apache-2.0
// What FUSE over io_uring adds to the protocol, for kernel headers that do not have it yet.
//
// Source: Linux 6.14 (FUSE 7.42), Documentation/filesystems/fuse/fuse-io-uring.rst.
// Units:  bytes.
// Errors: none.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fuse_layer {

// Of the second word of flags in INIT and its reply.
inline constexpr uint32_t kOverIoUring = uint32_t{1} << 9;

// Commands on the /dev/fuse descriptor.
inline constexpr uint32_t kRingRegister = 1;
inline constexpr uint32_t kRingCommitAndFetch = 2;

// The command's part of a submission entry of 128 bytes.
struct RingCommand {
  uint64_t flags;
  uint64_t commit_id;
  uint16_t queue;  // the number of the CPU
  uint8_t padding[6];
};

struct RingInOut {
  uint64_t flags;
  uint64_t commit_id;  // of the request, and of the reply to it
  uint32_t payload_bytes;
  uint32_t padding;
  uint64_t reserved;
};

// What the kernel writes of a request, and reads of a reply.
struct RingHeader {
  char in_out[128];     // fuse_in_header; fuse_out_header
  char operation[128];  // the struct of the request's kind
  RingInOut ring;
};
static_assert(sizeof(RingHeader) == 288);
static_assert(offsetof(RingHeader, ring) == 256);

}  // namespace fuse_layer
