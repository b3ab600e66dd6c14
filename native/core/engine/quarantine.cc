// SPDX-License-Identifier: Apache-2.0
#include "core/engine/quarantine.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"

namespace core::engine {
namespace {

using cgroup::CgroupId;
using Slot = QuarantineMemory::Slot;

constexpr Nanoseconds kShortest = std::chrono::seconds(10);
constexpr Nanoseconds kLongest = std::chrono::minutes(10);

// Doubled by each death in a row.
Nanoseconds TimeAfter(uint64_t deaths) {
  Nanoseconds time = kShortest;
  for (uint64_t death = 1; death < deaths && time < kLongest; ++death) time *= 2;
  return std::min(time, kLongest);
}

bool IsOf(const Slot& slot, CgroupId id) {
  return slot.deaths.load(std::memory_order_relaxed) != 0 &&
         slot.inode.load(std::memory_order_relaxed) == id.inode &&
         slot.controller.load(std::memory_order_relaxed) == static_cast<uint64_t>(id.controller);
}

}  // namespace

void Quarantine::Use(QuarantineMemory* memory, bool must_judge, Nanoseconds now) {
  memory_ = memory;
  for (Slot& slot : memory_->slots) {
    // After so long without a death the next one counts as the first.
    if (slot.until_nsec.load() + kLongest.count() < now.count()) slot.deaths.store(0);
  }
  const std::vector<CgroupId> blamed = memory_->works.TakeBlamed(now);
  if (must_judge) {
    for (const CgroupId id : blamed) Add(id, now);
  }
  for (const Slot& slot : memory_->slots) {
    if (slot.deaths.load() != 0) ends_at_nsec_ = std::max(ends_at_nsec_, slot.until_nsec.load());
  }
}

void Quarantine::Add(CgroupId id, Nanoseconds now) {
  auto* place =
      std::ranges::find_if(memory_->slots, [id](const Slot& slot) { return IsOf(slot, id); });
  if (place == memory_->slots.end()) {
    place = std::ranges::min_element(memory_->slots, {}, [](const Slot& slot) {
      return slot.deaths.load() == 0 ? int64_t{0} : slot.until_nsec.load();
    });
    place->deaths.store(0);
  }
  // One death, though two threads were reading the cgroup.
  const bool is_same_death = place->deaths.load() != 0 && place->until_nsec.load() > now.count();
  const uint64_t deaths = place->deaths.load() + (is_same_death ? 0 : 1);
  place->controller.store(static_cast<uint64_t>(id.controller));
  place->inode.store(id.inode);
  place->until_nsec.store((now + TimeAfter(deaths)).count());
  // Written last: a half-written slot stays free.
  place->deaths.store(deaths);
}

bool Quarantine::Find(CgroupId id, Nanoseconds now) const {
  return std::ranges::any_of(memory_->slots, [id, now](const Slot& slot) {
    return IsOf(slot, id) && slot.until_nsec.load(std::memory_order_relaxed) > now.count();
  });
}

std::vector<Quarantined> Quarantine::All(Nanoseconds now) const {
  std::vector<Quarantined> all;
  if (now.count() >= ends_at_nsec_) return all;
  for (size_t index = 0; index < memory_->slots.size(); ++index) {
    const Slot& slot = memory_->slots.at(index);
    const Nanoseconds left = Nanoseconds(slot.until_nsec.load()) - now;
    if (slot.deaths.load() == 0 || left <= Nanoseconds{}) continue;
    if (slot.controller.load() >= cgroup::kControllerCount) continue;
    all.push_back({.id = {.controller = static_cast<cgroup::Controller>(slot.controller.load()),
                          .inode = slot.inode.load()},
                   .slot = index,
                   .deaths = slot.deaths.load(),
                   .left = left});
  }
  return all;
}

}  // namespace core::engine
