// SPDX-License-Identifier: Apache-2.0
#include "fuse/ring.h"

#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "fuse/pinned_thread.h"
#include "fuse/replies.h"
#include "fuse/ring_memory.h"
#include "fuse/ring_task.h"
#include "fuse/slow_watch.h"
#include "fuse/uring.h"
#include "fuse/wake_signal.h"

namespace fuse_layer {
namespace {

using core::Error;
using core::Nanoseconds;
using core::NowMonotonic;
using core::Result;
using core::Status;
using std::chrono::milliseconds;

constexpr auto kLookAgain = milliseconds(1);
// A task that is at a request needs so long at most, unless who had a lock that it waits for is
// dead.
constexpr Nanoseconds kAnswerMax = milliseconds(100);
// Until a task that waits is ended by force.
constexpr Nanoseconds kLeaveMax = std::chrono::seconds(2);
constexpr Nanoseconds kPokeAgain = milliseconds(20);
constexpr Nanoseconds kBeginMax = std::chrono::seconds(5);

// The commit ids of our own requests; the kernel's are even numbers from 2 on.
constexpr uint64_t kPokeIds = uint64_t{1} << 62;

// When this thread is killed, its number stays in its thread-local memory, which the task goes on
// to use: glibc's locks compare by it, and the kernel would put a 0 there, which is nobody's.
void KeepThreadId() {
  static pid_t nobody = 0;
  (void)syscall(SYS_set_tid_address, &nobody);
}

}  // namespace

Ring::Ring(std::unique_ptr<RingMemory> memory, Options options)
    : memory_(std::move(memory)), options_(std::move(options)) {}

Result<std::unique_ptr<Ring>> Ring::Prepare(std::unique_ptr<RingMemory> memory, Options options) {
  std::unique_ptr<Ring> ring(new Ring(std::move(memory), std::move(options)));
  for (size_t cpu = 0; cpu < ring->Cpus(); ++cpu) {
    // What an earlier generation had in use, the kernel knows.
    for (size_t index = 0; index < RingMemory::kEntriesPerCpu; ++index) {
      RingEntry& entry = ring->memory_->Entry(cpu, index);
      if (index > 0 && entry.state.load() == RingState::kUnused) continue;
      auto uring = Uring::Open();
      if (!uring) return uring.error();
      auto& seat = *ring->seats_.emplace_back(std::make_unique<Seat>());
      seat.cpu = cpu;
      seat.entry = &entry;
      seat.uring = std::move(*uring);
    }
  }
  return ring;
}

Ring::~Ring() {
  Stop();
}

Status Ring::Start(bool is_new, std::function<void(int)> on_end) {
  InstallWakeSignal();
  on_end_ = std::move(on_end);
  is_new_.store(is_new);
  generation_ = memory_->Generation().fetch_add(1) + 1;
  watch_ = std::make_unique<SlowWatch>([this] { return LookForSlow(); });
  std::vector<Seat*> first;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& seat : seats_) {
      first.push_back(seat.get());
      StartGuard(*seat);
    }
    adder_ = std::thread([this] { AddWhereWanted(); });
  }
  if (!is_new) return core::Unit{};
  int cause = 0;
  is_refused_ = HasRefused(first, cause);
  is_new_.store(false);
  if (!is_refused_) return core::Unit{};
  return Error{.errno_value = cause, .operation = "register", .path = "ring"};
}

// Waits until the kernel has said what it thinks of each.
bool Ring::HasRefused(const std::vector<Seat*>& seats, int& cause) {
  for (const Seat* const seat : seats) {
    while (!seat->has_begun.load(std::memory_order_acquire)) {
      std::this_thread::sleep_for(kLookAgain);
    }
    const int refusal = seat->task == nullptr ? EAGAIN : seat->task->Refusal();
    if (refusal != 0) cause = refusal;
  }
  return cause != 0;
}

void Ring::StartGuard(Seat& seat) {
  seat.has_guard.store(true);
  // Nobody can join it: see KeepThreadId().
  std::thread([this, &seat] {
    Guard(seat);
    seat.has_guard.store(false, std::memory_order_release);
  }).detach();
}

// The life of one seat, in a thread of its own that the task borrows its thread-local memory from.
void Ring::Guard(Seat& seat) {
  BlockAllButWakeSignal();
  pthread_setname_np(pthread_self(), "lensfs-guard");
  // No reader can be on a CPU that is not there.
  const bool is_online = PinThread(seat.cpu);
  KeepThreadId();
  ThreadScratch().before_delay = [this, &seat] { ExpectDelay(seat); };
  const RingBegin begin = TakeOver(*seat.entry, is_online);
  const RingTask::Answer answer = [this, &seat](
                                      RingEntry& entry, std::span<char> request, bool is_left) {
    watch_->OnRequest();
    options_.answer(entry, request, is_left);
    if (seat.is_delayed.load(std::memory_order_relaxed)) EndDelay(seat);
  };
  seat.task = std::make_unique<RingTask>(
      RingTask::Place{
          .memory = *memory_, .entry = *seat.entry, .cpu = seat.cpu, .fuse_fd = options_.fuse_fd},
      generation_,
      *seat.uring,
      answer,
      options_.has_keeper,
      [this] { return Poke(); });
  const auto pid = seat.task->Start(begin);
  if (!pid) {
    seat.has_begun.store(true, std::memory_order_release);
    if (!end_reported_.exchange(true)) on_end_(pid.error().errno_value);
    return;
  }
  seat.pid.store(*pid);
  AwaitBegin(seat);
  int status = 0;
  // NOLINTNEXTLINE(misc-include-cleaner): <sys/wait.h> has it by way of another header.
  while (waitpid(*pid, &status, __WALL) < 0 && errno == EINTR) {
  }
  seat.pid.store(0);
  OnEnd(status);
}

void Ring::OnEnd(int status) {
  if (stopping_.load()) return;
  // NOLINTBEGIN(misc-include-cleaner): <sys/wait.h> has these macros, and <stdlib.h> has them too.
  if (WIFEXITED(status)) {
    const auto end = static_cast<RingEnd>(WEXITSTATUS(status));
    if (end == RingEnd::kConnection && !end_reported_.exchange(true)) on_end_(ENODEV);
    if (end != RingEnd::kRefused || is_new_.load()) return;
    (void)kill(getpid(), SIGKILL);
    return;
  }
  // What has killed a task has killed this worker: its state may be anything.
  (void)kill(getpid(), WIFSIGNALED(status) ? WTERMSIG(status) : SIGKILL);
  // NOLINTEND(misc-include-cleaner)
}

// Until the kernel has the entry; then what has queued up meanwhile gets going.
void Ring::AwaitBegin(Seat& seat) {
  const Nanoseconds begun_at = NowMonotonic();
  while (!seat.task->HasBegun() && seat.task->Refusal() == 0 &&
         NowMonotonic() - begun_at < kBeginMax) {
    std::this_thread::sleep_for(milliseconds(1) / 4);
  }
  seat.has_begun.store(true, std::memory_order_release);
  if (!is_new_.load() && PinThread(seat.cpu)) (void)Poke();
}

// Returns when nobody else uses the entry.
RingBegin Ring::TakeOver(RingEntry& entry, bool is_online) {
  const Nanoseconds leave_max = is_online ? kLeaveMax : kAnswerMax;
  const Nanoseconds begun_at = NowMonotonic();
  Nanoseconds poked_at{};
  for (;;) {
    const Nanoseconds now = NowMonotonic();
    RingState state = entry.state.load();
    switch (state) {
      case RingState::kUnused:
        return RingBegin::kRegister;
      case RingState::kUnanswered:
        return RingBegin::kAnswer;
      case RingState::kAnswering:
        if (entry.HasOwner() && now - begun_at < kAnswerMax) break;
        if (!entry.state.compare_exchange_strong(state, RingState::kUnanswered)) break;
        // A task that nobody has killed, but waits for the dead, is not to blame.
        if (!entry.HasOwner()) ++entry.deaths;
        EndOwner(entry);
        return RingBegin::kAnswer;
      case RingState::kWaiting:
        if (entry.HasOwner() && now - begun_at < leave_max) {
          if (now - poked_at > kPokeAgain) (void)Poke();
          if (now - poked_at > kPokeAgain) poked_at = now;
          break;
        }
        EndOwner(entry);
        if (is_online) forced_.fetch_add(1, std::memory_order_relaxed);
        if (entry.header.ring.commit_id == 0) return RingBegin::kRegister;
        return entry.header.ring.commit_id == entry.answered_id ? RingBegin::kCommit
                                                                : RingBegin::kAnswer;
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

void Ring::EndOwner(RingEntry& entry) {
  const Nanoseconds begun_at = NowMonotonic();
  while (entry.HasOwner() && NowMonotonic() - begun_at < kLeaveMax) {
    (void)kill(entry.owner_pid, SIGKILL);
    std::this_thread::sleep_for(kLookAgain);
  }
}

bool Ring::Poke() {
  for (const uint64_t id : options_.file_ids) {
    struct {
      fuse_out_header header;
      fuse_notify_retrieve_out retrieve;
    } message{};
    message.header.len = sizeof message;
    message.header.error = FUSE_NOTIFY_RETRIEVE;
    message.retrieve.nodeid = id;
    message.retrieve.notify_unique =
        kPokeIds + (generation_ << 32) + 2 * poked_.fetch_add(1, std::memory_order_relaxed);
    if (write(options_.fuse_fd, &message, sizeof message) >= 0 || errno != ENOENT) return true;
  }
  return false;
}

bool Ring::LookForSlow() {
  const std::lock_guard lock(mutex_);
  const Nanoseconds now = NowMonotonic();
  bool has_moved = false;
  for (const auto& seat : seats_) {
    const auto found = seat->watched.Look(seat->entry->turns.load(), now);
    has_moved = has_moved || found.has_moved;
    if (found.is_slow) BeginDelay(*seat);
  }
  return has_moved;
}

void Ring::ExpectDelay(Seat& seat) {
  const std::lock_guard lock(mutex_);
  BeginDelay(seat);
}

// With mutex_ held.
void Ring::BeginDelay(Seat& seat) {
  if (seat.is_delayed.exchange(true)) return;
  const bool is_free = std::ranges::any_of(seats_, [&seat](const auto& other) {
    return other->cpu == seat.cpu && !other->is_delayed.load();
  });
  if (is_free) return;
  wanted_cpus_.push_back(seat.cpu);
  wanted_changed_.notify_one();
}

void Ring::EndDelay(Seat& seat) {
  const std::lock_guard lock(mutex_);
  seat.is_delayed.store(false);
}

void Ring::AddWhereWanted() {
  BlockAllButWakeSignal();
  pthread_setname_np(pthread_self(), "lensfs-seats");
  std::unique_lock lock(mutex_);
  for (;;) {
    wanted_changed_.wait(lock, [this] { return !wanted_cpus_.empty() || stopping_.load(); });
    if (stopping_.load()) return;
    const size_t cpu = wanted_cpus_.back();
    wanted_cpus_.pop_back();
    const auto used = static_cast<size_t>(
        std::ranges::count_if(seats_, [cpu](const auto& seat) { return seat->cpu == cpu; }));
    if (used >= RingMemory::kEntriesPerCpu) continue;
    auto uring = Uring::Open();
    if (!uring) continue;
    Seat& seat = *seats_.emplace_back(std::make_unique<Seat>());
    seat.cpu = cpu;
    seat.entry = &memory_->Entry(cpu, used);
    seat.uring = std::move(*uring);
    StartGuard(seat);
  }
}

bool Ring::HasStuckTask(Nanoseconds after) {
  const std::lock_guard lock(mutex_);
  const Nanoseconds now = NowMonotonic();
  bool is_stuck = false;
  for (const auto& seat : seats_) {
    const uint64_t turns = seat->entry->turns.load(std::memory_order_relaxed);
    if (turns % 2 == 0 || turns != seat->seen_turns) seat->seen_at = now;
    seat->seen_turns = turns;
    is_stuck = is_stuck || now - seat->seen_at >= after;
  }
  return is_stuck;
}

void Ring::Stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_.exchange(true)) return;
  }
  wanted_changed_.notify_all();
  if (!adder_.joinable()) return;  // never started
  adder_.join();
  // From here on nobody adds a seat.
  memory_->Generation().fetch_add(1);
  std::thread([this] {
    for (size_t cpu = 0; cpu < Cpus(); ++cpu) EndTasksOf(cpu);
  }).join();
  for (const auto& seat : seats_) {
    while (seat->has_guard.load(std::memory_order_acquire)) std::this_thread::sleep_for(kLookAgain);
  }
  watch_.reset();
}

void Ring::EndTasksOf(size_t cpu) {
  const bool is_there = PinThread(cpu) && !is_refused_;
  const Nanoseconds begun_at = NowMonotonic();
  Nanoseconds poked_at{};
  for (;;) {
    size_t waiting = 0;
    bool is_busy = false;
    for (const auto& seat : seats_) {
      if (seat->cpu != cpu || (seat->pid.load() == 0 && seat->has_begun.load())) continue;
      is_busy = true;
      if (seat->entry->state.load() == RingState::kWaiting) ++waiting;
    }
    if (!is_busy) return;
    const Nanoseconds now = NowMonotonic();
    if (is_there && now - poked_at > kPokeAgain) {
      for (size_t count = 0; count < waiting; ++count) (void)Poke();
      poked_at = now;
    }
    if (now - begun_at > kLeaveMax || (!is_there && now - begun_at > kAnswerMax)) {
      for (const auto& seat : seats_) {
        const pid_t pid = seat->pid.load();
        if (seat->cpu != cpu || pid == 0) continue;
        if (is_there && seat->entry->state.load() == RingState::kWaiting) {
          forced_.fetch_add(1, std::memory_order_relaxed);
        }
        (void)kill(pid, SIGKILL);
      }
    }
    std::this_thread::sleep_for(milliseconds(1) / 4);
  }
}

}  // namespace fuse_layer
