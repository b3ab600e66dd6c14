// SPDX-License-Identifier: Apache-2.0
// The bytes of a view's files; a place is made when its file is first read, since most containers
// read only some.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: none.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/fresh.h"
#include "core/engine/fallbacks.h"

namespace core::engine {

// The bytes of one virtual file at one moment.
struct Snapshot {
  std::string bytes;
  Nanoseconds made_at{};  // monotonic
  bool is_hosts = false;  // the host's own bytes are the right ones
};
using SnapshotRef = std::shared_ptr<const Snapshot>;
// A view that takes long holds up none of its readers that can have the bytes before.
using FreshSnapshot = Fresh<Snapshot, WhileMade::kGiveOld>;

// Safe from any thread.
class SnapshotSlots {
 public:
  // One per file of the catalog, and one for cpuinfo as 32-bit programs are shown it.
  static constexpr size_t kCount = Fallbacks::kMaxFiles;

  SnapshotSlots() = default;
  ~SnapshotSlots() {
    for (auto& slot : slots_) delete slot.load(std::memory_order_relaxed);
  }
  SnapshotSlots(const SnapshotSlots&) = delete;
  SnapshotSlots& operator=(const SnapshotSlots&) = delete;

  FreshSnapshot& At(size_t index) {
    std::atomic<FreshSnapshot*>& slot = slots_.at(index);
    FreshSnapshot* there = slot.load(std::memory_order_acquire);
    if (there != nullptr) return *there;
    auto made = std::make_unique<FreshSnapshot>();
    // Another thread may have been faster.
    if (!slot.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *there;
    return *made.release();
  }

  // Forgets all bytes; they are made again when somebody asks.
  void Drop() {
    for (auto& slot : slots_) {
      FreshSnapshot* const there = slot.load(std::memory_order_acquire);
      if (there != nullptr) there->Drop();
    }
  }

 private:
  std::array<std::atomic<FreshSnapshot*>, kCount> slots_{};
};

}  // namespace core::engine
