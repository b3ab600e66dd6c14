// SPDX-License-Identifier: Apache-2.0
#include "fuse/handle_table.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>

#include "core/base/clock.h"
#include "core/engine/snapshot_slots.h"

namespace fuse_layer {

using core::engine::SnapshotRef;

// Starting from the time since boot in ns, at most one handle per ns: no number comes twice.
HandleTable::HandleTable(size_t handles_max)
    : slots_(handles_max),
      first_handle_(static_cast<uint64_t>(core::NowBoottime().count())),
      next_handle_(first_handle_) {}

uint64_t HandleTable::Open() {
  open_count_.fetch_add(1, std::memory_order_relaxed);
  return next_handle_.fetch_add(1, std::memory_order_relaxed);
}

SnapshotRef HandleTable::Find(uint64_t handle, uint64_t view_serial) {
  const size_t index = handle % slots_.size();
  const std::lock_guard lock(LockOf(index));
  const Slot& slot = slots_[index];
  const bool is_its = slot.handle == handle && slot.view_serial == view_serial;
  return is_its ? slot.snapshot : nullptr;
}

SnapshotRef HandleTable::FindEnded(uint64_t handle, uint64_t offset) {
  const size_t index = handle % slots_.size();
  const std::lock_guard lock(LockOf(index));
  const Slot& slot = slots_[index];
  const bool has_ended =
      slot.handle == handle && slot.snapshot != nullptr && offset >= slot.snapshot->bytes.size();
  return has_ended ? slot.snapshot : nullptr;
}

void HandleTable::Store(uint64_t handle, uint64_t view_serial, SnapshotRef snapshot) {
  const auto size = static_cast<int64_t>(snapshot->bytes.size());
  const size_t index = handle % slots_.size();
  {
    const std::lock_guard lock(LockOf(index));
    Slot& slot = slots_[index];
    Forget(slot);
    slot = Slot{.handle = handle, .view_serial = view_serial, .snapshot = std::move(snapshot)};
    snapshot_bytes_.fetch_add(size, std::memory_order_relaxed);
  }
  MakeRoom();
}

void HandleTable::Close(uint64_t handle) {
  if (handle >= first_handle_) open_count_.fetch_sub(1, std::memory_order_relaxed);
  const size_t index = handle % slots_.size();
  const std::lock_guard lock(LockOf(index));
  if (slots_[index].handle == handle) Forget(slots_[index]);
}

void HandleTable::Forget(Slot& slot) {
  if (slot.snapshot == nullptr) return;
  snapshot_bytes_.fetch_sub(static_cast<int64_t>(slot.snapshot->bytes.size()),
                            std::memory_order_relaxed);
  slot.snapshot.reset();
}

void HandleTable::MakeRoom() {
  for (size_t step = 0; step < slots_.size(); ++step) {
    if (snapshot_bytes_.load(std::memory_order_relaxed) <= kSnapshotBytesMax) return;
    const size_t index = evict_at_.fetch_add(1, std::memory_order_relaxed) % slots_.size();
    const std::lock_guard lock(LockOf(index));
    Forget(slots_[index]);
  }
}

}  // namespace fuse_layer
