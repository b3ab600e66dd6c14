// SPDX-License-Identifier: Apache-2.0
// What views have counted, in memory that outlives the process: a successor goes on from there, so
// that no counter of a container goes back when a worker ends.
//
// A record is written to the one of two copies that does not count, which then counts: a process
// that ends in between leaves the earlier one.
//
// Source: none.
// Units:  as in model/cpu_time.h and model/load_average.h.
// Errors: errno of sizing and mapping the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/model/cpu_time.h"
#include "core/model/load_average.h"

namespace core::engine {

struct Counted {
  model::CpuAccumulator cpu;
  std::optional<model::LoadAverage> load;
  Nanoseconds load_at{};  // monotonic; the end of the last whole 5 s period in `load`
};

// Safe from any thread.
class CounterMemory {
 public:
  // Unlike every other view's since the host has booted.
  struct Key {
    uint64_t inode = 0;  // of its primary cgroup, in the hierarchy of `controller`
    uint64_t starttime = 0;
    uint64_t text_hash = 0;  // of View::key
    uint32_t pid = 0;
    uint32_t controller = 0;
    bool operator==(const Key&) const = default;
  };

  // What is in `fd` from `offset` on, which is made large enough for so many views of a host whose
  // CPUs have numbers below `cpus`. The descriptor stays the caller's. Memory of a host with other
  // CPUs is begun anew.
  static Result<std::unique_ptr<CounterMemory>> Map(int fd,
                                                    size_t offset,
                                                    size_t views,
                                                    size_t cpus);
  ~CounterMemory();
  CounterMemory(const CounterMemory&) = delete;
  CounterMemory& operator=(const CounterMemory&) = delete;

  // What is remembered of a view.
  std::optional<Counted> Find(const Key& key);
  // First processes of the views of a cgroup that are remembered: pid and start time.
  struct Init {
    uint64_t starttime = 0;
    uint32_t pid = 0;
  };
  std::vector<Init> FindInits(uint64_t inode, uint32_t controller);
  // When all places are taken, the view whose record is the oldest is forgotten.
  void Save(const Key& key, const Counted& counted);
  // Nothing is saved from now on: another process is about to.
  void Close();

 private:
  struct Hash {
    size_t operator()(const Key& key) const {
      return std::hash<uint64_t>()(key.inode ^ key.text_hash ^ (key.starttime << 1));
    }
  };
  CounterMemory(std::span<uint64_t> words, size_t views, size_t cpus);
  std::span<uint64_t> Slot(size_t index);
  std::span<uint64_t> Copy(size_t index, uint64_t number);
  size_t Claim(const Key& key);

  const std::span<uint64_t> words_;
  const size_t views_;
  const size_t cpus_;
  std::mutex mutex_;  // guards what is in words_ and all below
  std::unordered_map<Key, size_t, Hash> slots_;
  bool is_closed_ = false;
};

}  // namespace core::engine
