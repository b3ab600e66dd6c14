// SPDX-License-Identifier: Apache-2.0
#include "testing/counter_memory_check.h"

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/fd.h"
#include "core/cgroup/cpu.h"
#include "core/engine/counter_memory.h"
#include "core/model/cpu_time.h"
#include "core/model/load_average.h"
#include "core/model/visible_cpus.h"

namespace testing {
namespace {

using core::Fd;
using core::engine::Counted;
using core::engine::CounterMemory;

constexpr size_t kOffset = 8192;
constexpr size_t kViews = 3;
constexpr size_t kCpus = 2;

Fd MakeMemory() {
  return Fd(memfd_create("counters", MFD_CLOEXEC));
}

std::unique_ptr<CounterMemory> Map(const Fd& fd) {
  auto memory = CounterMemory::Map(fd.get(), kOffset, kViews, kCpus);
  return memory ? std::move(*memory) : nullptr;
}

CounterMemory::Key KeyOf(uint64_t inode) {
  return {.inode = inode, .starttime = 2, .text_hash = 3, .pid = 4, .controller = 5};
}

core::model::VisibleCpus BothCpus() {
  core::model::VisibleCpus visible;
  for (uint32_t cpu = 0; cpu < kCpus; ++cpu) visible.physical.Add(cpu);
  visible.count = kCpus;
  return visible;
}

// Counters that tell of `usec`.
Counted Make(uint64_t usec) {
  Counted counted;
  const core::cgroup::CpuUsage usage{
      .user_usec = usec, .nice_usec = 0, .system_usec = 0, .throttled_usec = 0, .per_cpu = {}};
  counted.cpu.Advance({.boottime_usec = 10 * usec, .age_usec = 5 * usec, .usage = usage},
                      BothCpus());
  counted.load = core::model::LoadAverage{.fixed = {usec, 2 * usec, 3 * usec}};
  counted.load_at = core::Nanoseconds(usec);
  return counted;
}

bool HasUsec(CounterMemory& memory, uint64_t inode, uint64_t usec) {
  const auto found = memory.Find(KeyOf(inode));
  if (!found) return false;
  const Counted expected = Make(usec);
  const std::optional<core::model::LoadAverage>& load = found->load;
  const std::optional<core::model::LoadAverage>& expected_load = expected.load;
  if (!load || !expected_load) return false;
  const core::model::CpuTimes times = found->cpu.Read(BothCpus());
  return times.total.user_usec == usec &&
         times.total.idle_usec == expected.cpu.Read(BothCpus()).total.idle_usec &&
         times.cpus.size() == kCpus && load->fixed == expected_load->fixed &&
         found->load_at == expected.load_at;
}

}  // namespace

bool CountersAreFoundAgain() {
  const Fd fd = MakeMemory();
  const auto first = Map(fd);
  if (first == nullptr || first->Find(KeyOf(1))) return false;
  first->Save(KeyOf(1), Make(1'000));
  first->Save(KeyOf(2), Make(2'000));
  first->Save(KeyOf(1), Make(3'000));
  const auto next = Map(fd);
  return next != nullptr && HasUsec(*next, 1, 3'000) && HasUsec(*next, 2, 2'000) &&
         !next->Find(KeyOf(3));
}

// Whatever is in the copy that does not count, the other one is found.
bool HalfARecordDoesNotCount() {
  constexpr uint64_t kEarlier = 1'111;  // a number that the later record has nowhere
  const Fd fd = MakeMemory();
  const auto memory = Map(fd);
  if (memory == nullptr) return false;
  memory->Save(KeyOf(1), Make(kEarlier));
  memory->Save(KeyOf(1), Make(2'000));
  const auto end = static_cast<size_t>(lseek(fd.get(), 0, SEEK_END));
  bool is_whole = true;
  for (size_t at = kOffset; at < end; at += sizeof(uint64_t)) {
    uint64_t word = 0;
    (void)!pread(fd.get(), &word, sizeof word, static_cast<off_t>(at));
    if (word != kEarlier) continue;
    const uint64_t other = 777;
    (void)!pwrite(fd.get(), &other, sizeof other, static_cast<off_t>(at));
    const auto next = Map(fd);
    is_whole = is_whole && next != nullptr && HasUsec(*next, 1, 2'000);
  }
  return is_whole;
}

bool TheOldestCountersMakeWay() {
  const Fd fd = MakeMemory();
  const auto memory = Map(fd);
  if (memory == nullptr) return false;
  for (const uint64_t inode : {1, 2, 3, 1, 4}) memory->Save(KeyOf(inode), Make(inode * 1'000));
  const auto next = Map(fd);
  return next != nullptr && !next->Find(KeyOf(2)) && HasUsec(*next, 1, 1'000) &&
         HasUsec(*next, 3, 3'000) && HasUsec(*next, 4, 4'000);
}

bool TwoMapItAtOnce() {
  constexpr int kRounds = 500;
  constexpr size_t kFarOffset = size_t{1} << 20;
  for (int round = 0; round < kRounds; ++round) {
    const Fd fd = MakeMemory();
    std::atomic<int> waiting = 2;
    const auto map = [&](size_t offset) {
      --waiting;
      while (waiting != 0) std::this_thread::yield();
      return CounterMemory::Map(fd.get(), offset, kViews, kCpus).has_value();
    };
    bool is_far_mapped = false;
    std::thread far([&] { is_far_mapped = map(kFarOffset); });
    const bool is_mapped = map(kOffset);
    far.join();
    if (!is_mapped || !is_far_mapped) return false;
    if (lseek(fd.get(), 0, SEEK_END) <= static_cast<off_t>(kFarOffset)) return false;
  }
  return true;
}

bool ReleasedCountersAreNotWritten() {
  const Fd fd = MakeMemory();
  const auto memory = Map(fd);
  if (memory == nullptr) return false;
  memory->Save(KeyOf(1), Make(1'000));
  memory->Close();
  memory->Save(KeyOf(1), Make(2'000));
  return HasUsec(*memory, 1, 1'000);
}

}  // namespace testing
