// SPDX-License-Identifier: Apache-2.0
// The entries of a connection's rings: where the kernel puts requests and finds replies, in memory
// that outlives the process and has the same address in each, because the kernel keeps it.
//
// Source: ring_abi.h.
// Units:  bytes.
// Errors: errno of sizing and mapping the memory (EEXIST: something else has the address); EINVAL
//         for memory that is not of this form.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/base/result.h"
#include "fuse/ring_abi.h"

namespace fuse_layer {

enum class RingState : uint8_t {
  kUnused,      // not known to the kernel
  kWaiting,     // the kernel has it, or is about to: its owner waits for a request
  kAnswering,   // its owner is at a request
  kUnanswered,  // its owner has left a request to the next one
};

// One request at a time. Its owner is a task of one generation.
struct RingEntry {
  static constexpr size_t kPayloadBytes = size_t{16} * 1024;
  static constexpr size_t kRequestBytesMax = 3072;

  // What came, in the form that /dev/fuse has it, made of `header` and `payload` before a reply is
  // written over them. Empty when it has no room.
  std::span<char> KeepRequest();
  [[nodiscard]] bool HasOwner() const;

  RingHeader header;
  alignas(64) std::atomic<RingState> state;
  uint32_t deaths;  // how many owners have ended at the request
  pid_t owner_pid;
  uint64_t owner_start;         // tells the owner from a later process of the same number
  uint64_t kept_id;             // the commit id of what is kept
  uint64_t answered_id;         // of the request that `header` and `payload` are the reply to
  std::atomic<uint64_t> turns;  // odd while its owner is at a request
  uint32_t kept_bytes;
  alignas(1024) char kept[kRequestBytesMax];
  alignas(4096) char payload[kPayloadBytes];
};
static_assert(sizeof(RingEntry) == 4096 + RingEntry::kPayloadBytes);

class RingMemory {
 public:
  static constexpr size_t kConnections = 2;
  // So many views may take long at the same time for readers on one CPU.
  static constexpr size_t kEntriesPerCpu = 6;
  // Of one connection.
  static constexpr size_t kBytesPerCpu = kEntriesPerCpu * sizeof(RingEntry);
  static_assert(kConnections * kBytesPerCpu <= size_t{256} * 1024);

  // Maps what is in `fd` for the `index`th connection.
  static core::Result<std::unique_ptr<RingMemory>> Map(int fd, size_t index, size_t cpus);
  ~RingMemory();
  RingMemory(const RingMemory&) = delete;
  RingMemory& operator=(const RingMemory&) = delete;

  [[nodiscard]] size_t Cpus() const { return cpus_; }
  [[nodiscard]] RingEntry& Entry(size_t cpu, size_t index);
  // Whose turn it is: tasks of another generation leave their entries.
  std::atomic<uint64_t>& Generation();

 private:
  struct Head;
  RingMemory(void* memory, size_t cpus) : memory_(static_cast<char*>(memory)), cpus_(cpus) {}

  char* memory_;
  size_t cpus_;
};

}  // namespace fuse_layer
