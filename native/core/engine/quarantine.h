// SPDX-License-Identifier: Apache-2.0
// Cgroups in quarantine: a worker crashed or hung while it read their files, so the next workers
// read none of them for some time. Their readers get the answer of `on_failure`. The list is in
// memory that outlives each worker.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock, which goes on when a process ends.
// Errors: none; a full list gives up the entry whose time ends first.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/work_record.h"

namespace core::engine {

// The errno of an error that stands for a cgroup in quarantine.
inline constexpr int kInQuarantine = EOWNERDEAD;

template <typename T>
bool IsInQuarantine(const Result<T>& found) {
  return !found && found.error().errno_value == kInQuarantine;
}

// All of it is valid when it is zero.
struct QuarantineMemory {
  static constexpr size_t kSlots = 64;
  struct Slot {
    std::atomic<uint64_t> deaths;  // of workers, in a row; 0: the slot is free
    std::atomic<uint64_t> controller;
    std::atomic<uint64_t> inode;
    std::atomic<int64_t> until_nsec;
  };
  WorkMemory works;
  std::array<Slot, kSlots> slots;
};

struct Quarantined {
  cgroup::CgroupId id;
  size_t slot = 0;
  uint64_t deaths = 0;
  Nanoseconds left{};
};

// Safe from any thread but for Use(), which comes before there are readers.
class Quarantine {
 public:
  // Takes over the list in `memory`, which must outlive this. With `must_judge` the predecessor
  // crashed or hung, and the cgroups that it was reading are added.
  void Use(QuarantineMemory* memory, bool must_judge, Nanoseconds now);

  // The memory for Work; null before Use().
  [[nodiscard]] WorkMemory* Works() const { return memory_ ? &memory_->works : nullptr; }
  [[nodiscard]] bool Has(cgroup::CgroupId id, Nanoseconds now) const {
    return now.count() < ends_at_nsec_ && Find(id, now);
  }
  [[nodiscard]] std::vector<Quarantined> All(Nanoseconds now) const;

 private:
  void Add(cgroup::CgroupId id, Nanoseconds now);
  [[nodiscard]] bool Find(cgroup::CgroupId id, Nanoseconds now) const;

  QuarantineMemory* memory_ = nullptr;
  int64_t ends_at_nsec_ = 0;  // of the entry that stays longest
};

}  // namespace core::engine
