// SPDX-License-Identifier: Apache-2.0
// Who waits for requests at one entry of a ring: a process of its own that shares this one's memory
// and descriptors, so that it outlives a worker that is killed. The kernel fails requests that it
// hands to a task that is ending; this one ends only while it has a request at hand, which stays
// for its successor.
//
// Source: clone(2), fuse-io-uring.rst; fs/fuse/dev_uring.c, fuse_uring_send_in_task() (6.18).
// Units:  none.
// Errors: an end that is not RingEnd::kAsked is reported by who waits for the process.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "core/base/result.h"
#include "fuse/ring_memory.h"
#include "fuse/uring.h"

namespace fuse_layer {

// Exit codes.
enum class RingEnd : uint8_t {
  kAsked,       // another generation has the turn
  kConnection,  // there are no requests any more
  kRefused,     // the kernel does not take the entry
};

// How a task begins.
enum class RingBegin : uint8_t {
  kRegister,  // the kernel does not know the entry
  kAnswer,    // it holds a request
  kCommit,    // it holds a reply, of which nobody knows whether the kernel has it
};

class RingTask {
 public:
  // Writes the reply to `request` into the entry; `is_left`: by an earlier task.
  using Answer = std::function<void(RingEntry& entry, std::span<char> request, bool is_left)>;
  // Whether there is somebody who will start a next worker.
  using HasKeeper = std::function<bool()>;
  // Puts a request of our own in the queue of the CPU that the caller runs on; false when the
  // kernel knows no file of the connection.
  using Poke = std::function<bool()>;

  struct Place {
    RingMemory& memory;
    RingEntry& entry;
    size_t cpu = 0;
    int fuse_fd = -1;
  };

  RingTask(const Place& place,
           uint64_t generation,
           Uring& uring,
           const Answer& answer,
           const HasKeeper& has_keeper,
           Poke poke)
      : place_(place),
        generation_(generation),
        uring_(uring),
        answer_(answer),
        has_keeper_(has_keeper),
        poke_(std::move(poke)) {}

  // Starts the process, which uses the calling thread's thread-local memory: the caller may do
  // nothing but wait for it with __WALL.
  core::Result<pid_t> Start(RingBegin begin);
  // Whether the kernel has taken the entry; for the other threads.
  [[nodiscard]] bool HasBegun() const { return has_begun_.load(std::memory_order_acquire); }
  // Why it has not.
  [[nodiscard]] int Refusal() const { return refusal_.load(std::memory_order_acquire); }

 private:
  static int Main(void* task);
  RingEnd Run();
  void Introduce();
  void Submit(uint32_t operation, uint64_t commit_id);
  void Register();
  bool AnswerIt(bool is_left);
  bool HasWorker();
  bool MayStay();

  const Place place_;
  const uint64_t generation_;
  Uring& uring_;
  const Answer& answer_;
  const HasKeeper& has_keeper_;
  const Poke poke_;
  RingBegin begin_ = RingBegin::kRegister;
  pid_t worker_ = 0;
  uint64_t wakes_seen_ = UINT64_MAX;
  std::atomic<bool> has_begun_{false};
  std::atomic<int> refusal_{0};
};

}  // namespace fuse_layer
