// SPDX-License-Identifier: Apache-2.0
// One FUSE connection: its session and the threads that read requests from it.
//
// Source: libfuse's low-level interface, fuse(4).
// Units:  none.
// Errors: those of mounting and of libfuse's session.
#pragma once

#include <pthread.h>

#include <fuse_lowlevel.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/base/task_watch.h"
#include "fuse/journal.h"
#include "fuse/ring.h"
#include "fuse/ring_memory.h"
#include "fuse/ring_task.h"
#include "fuse/slow_watch.h"

namespace fuse_layer {

// How requests are to come.
struct Transport {
  bool wants_rings = false;  // where the connection begins; an older one keeps what it has
  std::vector<uint64_t> file_ids;
  RingTask::HasKeeper has_keeper = [] { return false; };
};

// How they do come.
struct TransportReport {
  bool has_rings = false;
  std::string why_not;  // empty when rings were not wanted
  size_t cpus = 0;      // each has a ring
  uint64_t forced = 0;  // Ring::Forced()
};

class Connection {
 public:
  // Takes over `fuse_fd`, a mounted /dev/fuse descriptor, and answers what a predecessor on the
  // same descriptor and journal has left unanswered. `user_data` is what the operations find in
  // fuse_req_userdata(); it and the journal must outlive the connection.
  static core::Result<std::unique_ptr<Connection>> Open(core::Fd fuse_fd,
                                                        const fuse_lowlevel_ops& operations,
                                                        void* user_data,
                                                        Journal& journal,
                                                        Transport transport);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Starts the readers. While one is delayed (Scratch::before_delay, or 50 ms at one request)
  // another takes its place, so that a view that takes long to read does not stall the others.
  // `on_end(errno)` is called once, from a reader, when requests can no longer be read although
  // nobody called Stop(): ENODEV after an unmount by someone else.
  void Start(size_t readers, std::function<void(int)> on_end);

  // Lets every reader finish its request and joins it. Safe to call twice.
  void Stop();

  // Whether a reader has been at the same request at every call for at least `after`, without
  // waiting for a CPU meanwhile. To be called at regular times, from one thread.
  bool HasStuckReader(core::Nanoseconds after);

  TransportReport Report();

  // Has who sleeps in poll(2), under the kernel's name `poll_handle`, ask again.
  void WakePoller(uint64_t poll_handle);

 private:
  struct Reader {
    std::thread thread;
    std::atomic<bool> has_ended{false};
    std::atomic<bool> is_delayed{false};  // changed with mutex_ held
    RequestSlot* slot = nullptr;
    std::atomic<uint64_t> turns{0};  // odd while it is at a request
    std::string task;                // its directory in /proc; set before the first turn
    // HasStuckReader()'s own.
    uint64_t seen_turns = 0;
    core::Nanoseconds seen_at{};
    core::TaskWatch watch;
    SeenTurns watched;  // the watch's own
  };

  Connection(fuse_session* session, Journal& journal, Transport transport)
      : session_(session), journal_(journal), transport_(std::move(transport)) {}
  void Resume();
  // Each is empty when there are rings, else the reason why not.
  std::string PrepareRings();
  std::string PrepareFirstRings(std::span<const char> init);
  void AnswerInit(std::span<char> request);
  void AnswerFromRing(RingEntry& entry, std::span<char> request, bool is_left);
  void Answer(std::span<char> request);
  // Tells that no requests come any more, once.
  void ReportEnd(int cause);
  void ReadRequests(Reader& reader);
  void AnswerNext(Reader& reader);
  // Has others take the places of slow readers; false when all have been idle.
  bool LookForSlow();
  void ExpectDelay(Reader& reader);
  void BeginDelay(Reader& reader);
  void EndDelay(Reader& reader);
  void AddReader();

  fuse_session* session_;
  Journal& journal_;
  const Transport transport_;
  std::unique_ptr<Ring> ring_;
  std::mutex report_mutex_;  // guards what follows, and changes of ring_
  std::string why_no_rings_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> end_reported_{false};
  std::function<void(int)> on_end_;

  std::mutex mutex_;  // guards all below; held for no request
  std::condition_variable may_read_;
  size_t wanted_ = 0;   // how many are to read at the same time
  size_t reading_ = 0;  // how many do, or have been told to
  size_t called_ = 0;   // how many of those that wait have been told to
  size_t waiting_ = 0;
  std::vector<std::unique_ptr<Reader>> readers_;  // before session_ is destroyed, all have ended
  std::unique_ptr<SlowWatch> watch_;              // changed without mutex_, while no reader runs
};

}  // namespace fuse_layer
