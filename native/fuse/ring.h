// SPDX-License-Identifier: Apache-2.0
// A connection's rings: on each CPU somebody waits for the requests of the readers there. Takes
// over what an earlier generation has left, and leaves the same to the next one.
//
// Nothing may be handed to a task that ends (see ring_task.h), so a task that waits is made to end
// by a request of our own: FUSE_NOTIFY_RETRIEVE puts one in the queue of the CPU that the caller
// runs on. That is also what gets a queue going again after its entries are registered anew.
//
// Source: ring_abi.h.
// Units:  none.
// Errors: those of io_uring, of starting a process, and what the kernel says to a registration.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "fuse/ring_memory.h"
#include "fuse/ring_task.h"
#include "fuse/slow_watch.h"
#include "fuse/uring.h"

namespace fuse_layer {

class Ring {
 public:
  struct Options {
    int fuse_fd = -1;
    // Regular files of the tree; one that the kernel knows is what our own requests are about.
    std::vector<uint64_t> file_ids;
    RingTask::Answer answer;
    RingTask::HasKeeper has_keeper;
  };

  // Gets all that can be refused before the kernel is told of rings.
  static core::Result<std::unique_ptr<Ring>> Prepare(std::unique_ptr<RingMemory> memory,
                                                     Options options);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // `is_new`: the kernel knows no entry yet; returns when it has one for each CPU, and with an
  // error when it has refused one, after which requests come from the descriptor.
  // `on_end(errno)` is called once when there are no requests any more, unless Stop() was called.
  core::Status Start(bool is_new, std::function<void(int)> on_end);
  // Lets every request at hand be answered, and leaves the rest. Safe to call twice.
  void Stop();
  // Whether a task has been at the same request at every call for at least `after`.
  bool HasStuckTask(core::Nanoseconds after);

  [[nodiscard]] size_t Cpus() const { return memory_->Cpus(); }
  // How many waiting tasks have ended by force: readers that came at that moment may have failed.
  [[nodiscard]] uint64_t Forced() const { return forced_.load(std::memory_order_relaxed); }

 private:
  struct Seat {
    size_t cpu = 0;
    RingEntry* entry = nullptr;
    std::unique_ptr<Uring> uring;
    std::unique_ptr<RingTask> task;
    std::atomic<bool> has_guard{false};
    std::atomic<pid_t> pid{0};  // while the process runs
    std::atomic<bool> has_begun{false};
    std::atomic<bool> is_delayed{false};  // changed with mutex_ held
    SeenTurns watched;                    // the watch's own
    // HasStuckTask()'s own.
    uint64_t seen_turns = 0;
    core::Nanoseconds seen_at{};
  };

  Ring(std::unique_ptr<RingMemory> memory, Options options);
  void AddSeat(size_t cpu, std::unique_ptr<Uring> uring);
  void StartGuard(Seat& seat);
  void Guard(Seat& seat);
  RingBegin TakeOver(RingEntry& entry, bool is_online);
  void EndOwner(RingEntry& entry);
  void AwaitBegin(Seat& seat);
  void OnEnd(int status);
  bool LookForSlow();
  void ExpectDelay(Seat& seat);
  void BeginDelay(Seat& seat);
  void EndDelay(Seat& seat);
  void AddWhereWanted();
  void EndTasksOf(size_t cpu);
  bool HasRefused(const std::vector<Seat*>& seats, int& cause);
  bool Poke();

  const std::unique_ptr<RingMemory> memory_;
  const Options options_;
  uint64_t generation_ = 0;
  std::function<void(int)> on_end_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_new_{false};  // a refusal leads to another way, not to the end
  bool is_refused_ = false;          // Start()'s, and then Stop()'s
  std::atomic<bool> end_reported_{false};
  std::atomic<uint64_t> forced_{0};
  std::atomic<uint64_t> poked_{0};

  std::mutex mutex_;  // guards what follows
  std::condition_variable wanted_changed_;
  std::vector<size_t> wanted_cpus_;
  std::vector<std::unique_ptr<Seat>> seats_;  // only grows, until all have ended
  std::thread adder_;
  std::unique_ptr<SlowWatch> watch_;  // while there are tasks
};

}  // namespace fuse_layer
