// SPDX-License-Identifier: Apache-2.0
// What each open handle reads from: the snapshot that its first read made.
//
// Source: none.
// Units:  bytes.
// Errors: none; a handle that is not in the table (any more) gets a new snapshot at its next read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "core/engine/snapshot_slots.h"

namespace fuse_layer {

// Bounded in handles and bytes: handles that are opened and never closed push out the oldest ones'
// snapshots, not other people's memory.
class HandleTable {
 public:
  static constexpr int64_t kSnapshotBytesMax = int64_t{64} * 1024 * 1024;

  explicit HandleTable(size_t handles_max);

  // A number that no other handle has or had, in this process or one before it.
  uint64_t Open();
  // The snapshot of `handle` for readers of the view `view_serial`; null when there is none. A
  // handle that was passed to another container has none for it.
  core::engine::SnapshotRef Find(uint64_t handle, uint64_t view_serial);
  // The snapshot of `handle`, whoever's it is, when it has ended before `offset`; otherwise null.
  core::engine::SnapshotRef FindEnded(uint64_t handle, uint64_t offset);
  void Store(uint64_t handle, uint64_t view_serial, core::engine::SnapshotRef snapshot);
  void Close(uint64_t handle);
  [[nodiscard]] int64_t OpenCount() const { return open_count_.load(std::memory_order_relaxed); }

 private:
  struct Slot {
    uint64_t handle = 0;
    uint64_t view_serial = 0;
    core::engine::SnapshotRef snapshot;
  };
  static constexpr size_t kLocks = 64;

  std::mutex& LockOf(size_t index) { return locks_[index % kLocks]; }
  void Forget(Slot& slot);
  void MakeRoom();

  std::vector<Slot> slots_;  // a handle's slot is its number modulo the size
  std::array<std::mutex, kLocks> locks_;
  const uint64_t first_handle_;  // earlier ones are a predecessor's, which counted them
  std::atomic<uint64_t> next_handle_;
  std::atomic<int64_t> open_count_{0};
  std::atomic<int64_t> snapshot_bytes_{0};
  std::atomic<size_t> evict_at_{0};
};

}  // namespace fuse_layer
