// SPDX-License-Identifier: Apache-2.0
// Everything known about one container root.
//
// Source: none.
// Units:  as the names say.
// Errors: none.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/cgroup/cgroup.h"
#include "core/engine/counter_memory.h"
#include "core/engine/init_finder.h"
#include "core/engine/options.h"
#include "core/engine/quarantine.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/task_tally.h"
#include "core/model/cpu_time.h"
#include "core/model/visible_cpus.h"
#include "core/render/sheet.h"

namespace core::engine {

// What /proc/cpuinfo is made of, and others that show CPUs.
struct KnownCpus {
  model::VisibleCpus cpus;
  Nanoseconds made_at{};  // monotonic; 0: never
};

// What /proc/stat and uptime are made of.
struct KnownCpuTime {
  model::VisibleCpus cpus;  // those that `times` are of
  model::CpuTimes times;
  uint64_t age_usec = 0;
  Nanoseconds made_at{};  // of the oldest part; monotonic; 0: never
};

// What the page cache has, or is to have, of a file.
struct Page {
  SnapshotRef text;
  Nanoseconds modified_at{};  // wall clock; changes if and only if the bytes do
};

struct View : std::enable_shared_from_this<View> {
  static constexpr size_t kSlots = SnapshotSlots::kCount;

  uint64_t serial = 0;  // unlike every other view's of this engine
  std::string key;
  cgroup::Cgroup cgroup;
  InitProcess init;
  bool has_own_init = false;  // `init` is of a pid namespace, which ends with it
  bool is_host_process = false;
  std::atomic<Nanoseconds> alive_at{};  // monotonic; when its cgroup was last seen to be there
  std::atomic<bool> is_dropped{false};  // no longer in the table; nobody is to find it any more

  SnapshotSlots snapshots;
  std::mutex pages_mutex;  // guards pages
  std::array<Page, kSlots> pages;
  std::atomic<Nanoseconds> used_at{};         // monotonic
  std::atomic<uint64_t> reads{0};             // answers given
  std::atomic<uint64_t> hits{0};              // those among them whose bytes were young enough
  std::atomic<Nanoseconds> load_wanted_at{};  // monotonic; 0: nobody has asked for loadavg or stat
  TaskTallyRef tally;                         // its cgroup's

  // What the engine's policy is for this view, as of its generation. Taken before the engine's own
  // mutex.
  std::mutex policy_mutex;  // guards the two below
  std::shared_ptr<const Policy> policy;
  uint64_t policy_generation = 0;

  // What reads leave behind. Guarded by `mutex`, which is held for no file operation.
  std::mutex mutex;
  Counted counted;
  KnownCpus cpus;
  KnownCpuTime cpu_time;

  const Quarantine* quarantine = nullptr;  // of the engine

  CounterMemory::Key counter_key;
  CounterMemory* counter_memory = nullptr;  // null: what is counted ends with the process

  // Whether its cgroup was there less than `max_age` ago.
  bool IsAlive(Nanoseconds max_age) {
    const Nanoseconds now = NowMonotonic();
    const Nanoseconds seen_at = alive_at.load(std::memory_order_relaxed);
    if (seen_at != Nanoseconds{} && seen_at + max_age > now) return true;
    if (!cgroup.IsAlive()) return false;
    alive_at.store(now, std::memory_order_relaxed);
    return true;
  }

  // With `mutex` held, before anybody is told what was counted.
  void SaveCounted() {
    if (counter_memory != nullptr) counter_memory->Save(counter_key, counted);
  }

  // Forgets all bytes and what they were made of; they are made again when somebody asks.
  void DropTexts() {
    {
      const std::lock_guard lock(mutex);
      cpus = {};
      cpu_time = {};
    }
    snapshots.Drop();
    const std::lock_guard lock(pages_mutex);
    pages = {};
  }
};
using ViewRef = std::shared_ptr<View>;

}  // namespace core::engine
