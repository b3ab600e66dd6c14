// SPDX-License-Identifier: Apache-2.0
#include "core/engine/counter_memory.h"

#include <sys/mman.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "core/base/clock.h"
#include "core/base/grow_file.h"
#include "core/base/result.h"
#include "core/model/cpu_time.h"
#include "core/model/load_average.h"

namespace core::engine {
namespace {

constexpr const char* kPath = "counters";
constexpr uint64_t kVersion = 1;

// The memory: a header, then a slot for each view.
constexpr size_t kVersionWord = 0;
constexpr size_t kCpusWord = 1;
constexpr size_t kUsedWord = 2;  // so many slots have been used
constexpr size_t kHeaderWords = 8;

// A slot: its key, then two copies.
constexpr size_t kKeyWords = 4;
constexpr size_t kSavedAtWord = kKeyWords;  // monotonic, ns
constexpr size_t kTurnWord = 5;             // the copy that counts, 1 or 2; 0: there is none yet
constexpr size_t kSlotHeaderWords = 6;

// A copy: how many CPUs its accumulator has, whether there is a load average, the load average,
// the accumulator.
constexpr size_t kCpuCountWord = 0;
constexpr size_t kHasLoadWord = 1;
constexpr size_t kLoadWord = 2;
constexpr size_t kLoadAtWord = 5;
constexpr size_t kAccumulatorWord = 6;

size_t CopyWords(size_t cpus) {
  return kAccumulatorWord + model::CpuAccumulator::WordsFor(cpus);
}

size_t SlotWords(size_t cpus) {
  return kSlotHeaderWords + 2 * CopyWords(cpus);
}

CounterMemory::Key ReadKey(std::span<const uint64_t> slot) {
  return {.inode = slot[0],
          .starttime = slot[1],
          .text_hash = slot[2],
          .pid = static_cast<uint32_t>(slot[3]),
          .controller = static_cast<uint32_t>(slot[3] >> 32)};
}

void WriteKey(const CounterMemory::Key& key, std::span<uint64_t> slot) {
  slot[0] = key.inode;
  slot[1] = key.starttime;
  slot[2] = key.text_hash;
  slot[3] = key.pid | static_cast<uint64_t>(key.controller) << 32;
}

// Whoever goes on after the process's end finds what was written before in place.
void InThisOrder() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

Result<std::unique_ptr<CounterMemory>> CounterMemory::Map(int fd,
                                                          size_t offset,
                                                          size_t views,
                                                          size_t cpus) {
  const size_t count = kHeaderWords + views * SlotWords(cpus);
  const size_t bytes = count * sizeof(uint64_t);
  const auto end = static_cast<off_t>(offset + bytes);
  if (!core::GrowFile(fd, end)) return SystemError("size", kPath);
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (memory == MAP_FAILED) return SystemError("map", kPath);
  return std::unique_ptr<CounterMemory>(
      new CounterMemory({static_cast<uint64_t*>(memory), count}, views, cpus));
}

CounterMemory::CounterMemory(std::span<uint64_t> words, size_t views, size_t cpus)
    : words_(words), views_(views), cpus_(cpus) {
  if (words_[kVersionWord] != kVersion || words_[kCpusWord] != cpus) {
    words_[kUsedWord] = 0;
    InThisOrder();
    words_[kCpusWord] = cpus;
    words_[kVersionWord] = kVersion;
  }
  const size_t used = std::min<size_t>(words_[kUsedWord], views_);
  for (size_t index = 0; index < used; ++index) slots_[ReadKey(Slot(index))] = index;
}

CounterMemory::~CounterMemory() {
  munmap(words_.data(), words_.size_bytes());
}

std::span<uint64_t> CounterMemory::Slot(size_t index) {
  const size_t size = SlotWords(cpus_);
  return words_.subspan(kHeaderWords + index * size, size);
}

std::span<uint64_t> CounterMemory::Copy(size_t index, uint64_t number) {
  const size_t size = CopyWords(cpus_);
  return Slot(index).subspan(kSlotHeaderWords + (number - 1) * size, size);
}

std::optional<Counted> CounterMemory::Find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(key);
  if (found == slots_.end()) return std::nullopt;
  const uint64_t turn = Slot(found->second)[kTurnWord];
  if (turn != 1 && turn != 2) return std::nullopt;
  const std::span<const uint64_t> copy = Copy(found->second, turn);
  const size_t cpus = std::min<size_t>(copy[kCpuCountWord], cpus_);
  Counted counted;
  counted.cpu.Restore(copy.subspan(kAccumulatorWord, model::CpuAccumulator::WordsFor(cpus)));
  if (copy[kHasLoadWord] != 0) {
    model::LoadAverage load;
    std::ranges::copy(copy.subspan(kLoadWord, load.fixed.size()), load.fixed.begin());
    counted.load = load;
    counted.load_at = Nanoseconds(static_cast<int64_t>(copy[kLoadAtWord]));
  }
  return counted;
}

std::vector<CounterMemory::Init> CounterMemory::FindInits(uint64_t inode, uint32_t controller) {
  const std::lock_guard lock(mutex_);
  std::vector<Init> inits;
  for (const auto& [key, index] : slots_) {
    if (key.inode != inode || key.controller != controller) continue;
    inits.push_back({.starttime = key.starttime, .pid = key.pid});
  }
  return inits;
}

// With mutex_ held.
size_t CounterMemory::Claim(const Key& key) {
  const auto found = slots_.find(key);
  if (found != slots_.end()) return found->second;
  size_t index = std::min<size_t>(words_[kUsedWord], views_);
  if (index == views_) {
    const auto oldest = std::ranges::min_element(
        slots_, {}, [this](const auto& entry) { return Slot(entry.second)[kSavedAtWord]; });
    index = oldest->second;
    slots_.erase(oldest);
  }
  const std::span<uint64_t> slot = Slot(index);
  slot[kTurnWord] = 0;
  InThisOrder();
  WriteKey(key, slot);
  InThisOrder();
  words_[kUsedWord] = std::max<uint64_t>(words_[kUsedWord], index + 1);
  slots_[key] = index;
  return index;
}

void CounterMemory::Save(const Key& key, const Counted& counted) {
  const std::lock_guard lock(mutex_);
  // The kernel gives no CPU a number above those that were possible at its start.
  if (is_closed_ || counted.cpu.CpuCount() > cpus_) return;
  const size_t index = Claim(key);
  const std::span<uint64_t> slot = Slot(index);
  const uint64_t turn = slot[kTurnWord] == 1 ? 2 : 1;
  const std::span<uint64_t> copy = Copy(index, turn);
  copy[kCpuCountWord] = counted.cpu.CpuCount();
  copy[kHasLoadWord] = counted.load ? 1 : 0;
  if (counted.load) std::ranges::copy(counted.load->fixed, copy.begin() + kLoadWord);
  copy[kLoadAtWord] = static_cast<uint64_t>(counted.load_at.count());
  counted.cpu.Save(copy.subspan(kAccumulatorWord));
  InThisOrder();
  slot[kTurnWord] = turn;
  slot[kSavedAtWord] = static_cast<uint64_t>(NowMonotonic().count());
}

void CounterMemory::Close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
}

}  // namespace core::engine
