// SPDX-License-Identifier: Apache-2.0
#include "fuse/ring_task.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "core/base/precedence.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/proc/pid.h"
#include "fuse/ring_abi.h"
#include "fuse/ring_memory.h"
#include "fuse/wake_signal.h"

namespace fuse_layer {
namespace {

using core::Result;
using core::SystemError;

constexpr size_t kStackBytes = size_t{512} * 1024;
// How often a task without a worker looks whether there is somebody to start a next one.
constexpr int64_t kWatchSeconds = 1;

void BeWokenRegularly() {
  struct sigaction action{};
  action.sa_handler = [](int /*signal*/) {};
  (void)sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm_signal;
  sigemptyset(&alarm_signal);
  sigaddset(&alarm_signal, SIGALRM);
  (void)pthread_sigmask(SIG_UNBLOCK, &alarm_signal, nullptr);
  const timeval period{.tv_sec = kWatchSeconds, .tv_usec = 0};
  const itimerval timer{.it_interval = period, .it_value = period};
  (void)setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

Result<pid_t> RingTask::Start(RingBegin begin) {
  begin_ = begin;
  worker_ = getpid();
  // Never freed: the process may still use it when the worker is gone.
  void* const stack = mmap(nullptr,
                           kStackBytes,
                           PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE,
                           -1,
                           0);
  if (stack == MAP_FAILED) return SystemError("map", "stack of a ring's task");
  char* const top = static_cast<char*>(stack) + kStackBytes;
  const pid_t pid = clone(Main, top, CLONE_VM | CLONE_FILES | CLONE_FS, this);
  if (pid < 0) {
    const core::Error error = SystemError("start", "task of a ring");
    munmap(stack, kStackBytes);
    return error;
  }
  return pid;
}

int RingTask::Main(void* task) {
  auto& self = *static_cast<RingTask*>(task);
  BlockAllButWakeSignal();
  (void)prctl(PR_SET_PDEATHSIG, WakeSignal());
  core::GiveUpPrecedence();
  (void)prctl(PR_SET_NAME, ("lensfs-ring/" + std::to_string(self.place_.cpu)).c_str());
  const RingEnd end = self.Run();
  _exit(static_cast<int>(end));
}

void RingTask::Introduce() {
  RingEntry& entry = place_.entry;
  const auto reader = core::proc::PidReader::Open("/proc");
  core::FileBuffer buffer;
  const pid_t pid = getpid();
  if (reader) {
    const auto stat = reader->ReadStat(pid, buffer);
    if (stat) entry.owner_start = stat->starttime;
  }
  entry.owner_pid = pid;
}

void RingTask::Submit(uint32_t operation, uint64_t commit_id) {
  const RingCommand command{.flags = 0,
                            .commit_id = commit_id,
                            .queue = static_cast<uint16_t>(place_.cpu),
                            .padding = {}};
  RingEntry& entry = place_.entry;
  // The kernel reads it before the command is handed in completely.
  thread_local iovec buffers[2];
  buffers[0] = {.iov_base = &entry.header, .iov_len = sizeof entry.header};
  buffers[1] = {.iov_base = entry.payload, .iov_len = sizeof entry.payload};
  uring_.Prepare(place_.fuse_fd,
                 operation,
                 {reinterpret_cast<const char*>(&command), sizeof command},
                 reinterpret_cast<uint64_t>(buffers),
                 2);
}

void RingTask::Register() {
  RingEntry& entry = place_.entry;
  std::memset(&entry.header, 0, sizeof entry.header);
  entry.kept_id = 0;
  entry.answered_id = 0;
  entry.state.store(RingState::kWaiting);
  Submit(kRingRegister, 0);
}

// False when somebody else has taken the request.
bool RingTask::AnswerIt(bool is_left) {
  RingEntry& entry = place_.entry;
  entry.state.store(RingState::kAnswering);
  entry.turns.fetch_add(1);  // before the watch is looked at
  answer_(entry, entry.KeepRequest(), is_left);
  entry.turns.fetch_add(1, std::memory_order_relaxed);
  entry.answered_id = entry.header.ring.commit_id;
  entry.deaths = 0;
  RingState expected = RingState::kAnswering;
  if (!entry.state.compare_exchange_strong(expected, RingState::kWaiting)) return false;
  Submit(kRingCommitAndFetch, entry.answered_id);
  return true;
}

// The end of a parent is a signal (see Main()), so the kernel is asked only after there was one.
bool RingTask::HasWorker() {
  const uint64_t wakes = WakeCount().load();
  if (wakes == wakes_seen_) return true;
  wakes_seen_ = wakes;
  return getppid() == worker_;
}

// After a signal: while there is a worker, or one to come.
bool RingTask::MayStay() {
  if (getppid() == worker_) return true;
  BeWokenRegularly();
  return has_keeper_();
}

RingEnd RingTask::Run() {
  Introduce();
  RingEntry& entry = place_.entry;
  entry.turns.store(0, std::memory_order_relaxed);
  switch (begin_) {
    case RingBegin::kRegister:
      Register();
      break;
    case RingBegin::kAnswer:
      if (!AnswerIt(true)) return RingEnd::kAsked;
      break;
    case RingBegin::kCommit:
      entry.state.store(RingState::kWaiting);
      Submit(kRingCommitAndFetch, entry.answered_id);
      break;
  }
  bool waits = false;  // at first only to see whether the kernel takes it
  for (;;) {
    const int cause = uring_.Enter(waits);
    const auto result = uring_.Take();
    if (cause != 0 && cause != EINTR && cause != EAGAIN && cause != EBUSY) {
      refusal_.store(cause, std::memory_order_release);
      return RingEnd::kRefused;
    }
    if (!result) {
      // Then it leaves with the next request at hand, also for a successor that a service manager
      // starts. There is none without files.
      if (waits && !MayStay() && !poke_()) return RingEnd::kAsked;
      if (!waits && cause == 0) has_begun_.store(true, std::memory_order_release);
      waits = true;
      continue;
    }
    if (*result == -ENOENT) {
      // Nobody waits for that reply any more.
      Register();
      waits = false;
      continue;
    }
    if (*result < 0) {
      entry.state.store(RingState::kUnused);
      refusal_.store(-*result, std::memory_order_release);
      const bool has_ended = *result == -ENOTCONN || *result == -ECONNABORTED;
      return has_ended ? RingEnd::kConnection : RingEnd::kRefused;
    }
    has_begun_.store(true, std::memory_order_release);
    waits = true;
    // Without a worker nobody counts, and who has a lock may be dead.
    if (place_.memory.Generation().load() != generation_ || !HasWorker()) {
      entry.state.store(RingState::kUnanswered);
      return RingEnd::kAsked;
    }
    if (!AnswerIt(false)) return RingEnd::kAsked;
  }
}

}  // namespace fuse_layer
