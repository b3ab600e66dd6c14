// SPDX-License-Identifier: Apache-2.0
// The threads that read a connection's requests, and who takes the place of one that takes long.
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <fuse_lowlevel.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/precedence.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/replies.h"
#include "fuse/ring.h"
#include "fuse/slow_watch.h"
#include "fuse/wake_signal.h"

namespace fuse_layer {
namespace {

// So many views may take long at the same time before others must wait for one of them.
constexpr size_t kSpareReadersMax = 16;

// Only the reader itself writes its turns.
void EndTurn(std::atomic<uint64_t>& turns) {
  turns.store(turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

void Connection::Start(size_t readers, std::function<void(int)> on_end) {
  InstallWakeSignal();
  on_end_ = std::move(on_end);
  watch_ = std::make_unique<SlowWatch>([this] { return LookForSlow(); });
  if (ring_ != nullptr) (void)ring_->Start(false, [this](int cause) { ReportEnd(cause); });
  const std::lock_guard lock(mutex_);
  wanted_ = readers;
  while (reading_ < wanted_) AddReader();
}

// With mutex_ held.
void Connection::AddReader() {
  auto& reader = *readers_.emplace_back(std::make_unique<Reader>());
  reader.slot = &journal_.Slot(readers_.size() - 1);
  ++reading_;
  reader.thread = std::thread([this, &reader] { ReadRequests(reader); });
}

void Connection::ReadRequests(Reader& reader) {
  BlockAllButWakeSignal();
  pthread_setname_np(pthread_self(), "lensfs-reader");
  reader.task = "/proc/self/task/" + std::to_string(gettid());
  ThreadScratch().before_delay = [this, &reader] { ExpectDelay(reader); };
  // Whoever has waited since the predecessor's end comes first, also on a busy machine.
  if (!stopping_.load(std::memory_order_acquire)) AnswerNext(reader);
  core::GiveUpPrecedence();
  if (reader.is_delayed.load(std::memory_order_relaxed)) EndDelay(reader);
  while (!stopping_.load(std::memory_order_acquire)) {
    AnswerNext(reader);
    if (reader.is_delayed.load(std::memory_order_relaxed)) EndDelay(reader);
  }
  reader.has_ended.store(true, std::memory_order_release);
}

void Connection::AnswerNext(Reader& reader) {
  const std::span<char> room = reader.slot->Room();
  // The analyzer knows no destructor of unique_lock.
  // NOLINTNEXTLINE(clang-analyzer-unix.BlockInCriticalSection)
  const ssize_t length = read(fuse_session_fd(session_), room.data(), room.size());
  if (length < 0) {
    const int cause = errno;
    // ENOENT: the request was interrupted before it could be read.
    if (cause == EINTR || cause == ENOENT || cause == EAGAIN) return;
    ReportEnd(cause);
    stopping_.store(true, std::memory_order_release);
    return;
  }
  const std::span<char> request = room.first(static_cast<size_t>(length));
  // Seen by the watch, or the watch is seen to be asleep.
  reader.turns.fetch_add(1);
  watch_->OnRequest();
  uint32_t opcode = 0;
  std::memcpy(&opcode, request.data() + offsetof(fuse_in_header, opcode), sizeof opcode);
  if (opcode == FUSE_INIT) {
    AnswerInit(request);
  } else {
    Answer(request);
  }
  reader.slot->Clear();
  EndTurn(reader.turns);
}

bool Connection::HasStuckReader(core::Nanoseconds after) {
  bool is_stuck = false;
  {
    const std::lock_guard lock(report_mutex_);
    is_stuck = ring_ != nullptr && journal_.HasRings() && ring_->HasStuckTask(after);
  }
  const std::lock_guard lock(mutex_);
  const core::Nanoseconds now = core::NowMonotonic();
  for (const auto& reader : readers_) {
    const uint64_t turns = reader->turns.load(std::memory_order_relaxed);
    if (turns % 2 == 0 || turns != reader->seen_turns) {
      reader->seen_at = now;
      reader->watch.Reset();
    } else if (reader->watch.HasWantedCpu({&reader->task, 1}) && reader->watch.RunTime() < after) {
      // It has been kept waiting for a CPU; one that has run for as long does not come back.
      reader->seen_at = now;
    }
    reader->seen_turns = turns;
    is_stuck = is_stuck || now - reader->seen_at >= after;
  }
  return is_stuck;
}

bool Connection::LookForSlow() {
  const std::lock_guard lock(mutex_);
  const core::Nanoseconds now = core::NowMonotonic();
  bool has_moved = false;
  // Those that are added meanwhile are looked at the next time.
  const size_t count = readers_.size();
  for (size_t index = 0; index < count; ++index) {
    Reader& reader = *readers_[index];
    const auto found = reader.watched.Look(reader.turns.load(), now);
    has_moved = has_moved || found.has_moved;
    if (found.is_slow) BeginDelay(reader);
  }
  return has_moved;
}

// From within a request: somebody else is to read while this one takes its time.
void Connection::ExpectDelay(Reader& reader) {
  if (reader.is_delayed.load(std::memory_order_relaxed)) return;
  const std::lock_guard lock(mutex_);
  BeginDelay(reader);
}

// With mutex_ held.
void Connection::BeginDelay(Reader& reader) {
  if (reader.is_delayed.exchange(true)) return;
  --reading_;
  if (stopping_.load(std::memory_order_acquire)) return;
  if (waiting_ > called_) {
    ++called_;
    ++reading_;
    may_read_.notify_one();
  } else if (readers_.size() < wanted_ + kSpareReadersMax) {
    AddReader();
  }
}

// Reads again, or waits for somebody's delay where enough read already.
void Connection::EndDelay(Reader& reader) {
  std::unique_lock lock(mutex_);
  reader.is_delayed.store(false);
  if (reading_ < wanted_) {
    ++reading_;
    return;
  }
  ++waiting_;
  may_read_.wait(lock, [this] { return called_ > 0 || stopping_.load(std::memory_order_acquire); });
  --waiting_;
  if (called_ > 0) --called_;
}

void Connection::Stop() {
  end_reported_.store(true);
  Ring* ring = nullptr;
  {
    // A reader may be beginning them.
    const std::lock_guard lock(report_mutex_);
    ring = ring_.get();
  }
  if (ring != nullptr) ring->Stop();
  {
    // Nobody is added from now on.
    const std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_release);
  }
  may_read_.notify_all();
  for (auto& reader : readers_) {
    // A signal that comes before the read begins is lost, so it is sent until the thread has seen
    // that it is to stop.
    while (!reader->has_ended.load(std::memory_order_acquire)) {
      pthread_kill(reader->thread.native_handle(), WakeSignal());
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    reader->thread.join();
  }
  watch_.reset();  // looks at the readers
  readers_.clear();
}

}  // namespace fuse_layer
