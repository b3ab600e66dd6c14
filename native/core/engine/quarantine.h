// SPDX-License-Identifier: Apache-2.0
// Cgroups that a process has ended of: for some time nobody looks into them, and their readers get
// what `on_failure` says. In memory that outlives the process.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock, which goes on when a process ends.
// Errors: none; what has no place takes that of the one that ends first.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/work_record.h"

namespace core::engine {

// The errno of an error that stands for a cgroup in quarantine.
inline constexpr int kInQuarantine = EOWNERDEAD;

// All of it is valid when it is zero.
struct QuarantineMemory {
  static constexpr size_t kSlots = 64;
  struct Slot {
    std::atomic<uint64_t> deaths;  // in a row; 0: free
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
  // Goes on with what is in `memory`, which must outlive this. `must_judge`: the predecessor has
  // ended by itself or did not answer, so that what it was at is to blame.
  void Use(QuarantineMemory* memory, bool must_judge, Nanoseconds now);

  // For Work; null before Use().
  [[nodiscard]] WorkMemory* Works() const { return memory_ ? &memory_->works : nullptr; }
  [[nodiscard]] bool Has(cgroup::CgroupId id, Nanoseconds now) const {
    return now.count() < ends_at_nsec_ && Find(id, now);
  }
  [[nodiscard]] std::vector<Quarantined> All(Nanoseconds now) const;

 private:
  void Add(cgroup::CgroupId id, Nanoseconds now);
  [[nodiscard]] bool Find(cgroup::CgroupId id, Nanoseconds now) const;

  QuarantineMemory* memory_ = nullptr;
  int64_t ends_at_nsec_ = 0;  // when the last one is let go
};

}  // namespace core::engine
