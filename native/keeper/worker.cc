// SPDX-License-Identifier: Apache-2.0
#include "keeper/worker.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/precedence.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "keeper/oom_score.h"
#include "keeper/options.h"
#include "keeper/privileges.h"
#include "keeper/syscall_filter.h"

namespace keeper {
namespace {

using core::Fd;
using core::Nanoseconds;
using core::Result;
using core::SystemError;

constexpr Nanoseconds kSilenceMax = std::chrono::seconds(5);
constexpr Nanoseconds kStartMax = std::chrono::seconds(10);
constexpr Nanoseconds kBootMax = std::chrono::seconds(30);
constexpr Nanoseconds kDyingMax = std::chrono::seconds(1);
// From this much silence on its tasks are looked at: two pings are unanswered.
constexpr Nanoseconds kWatchAfter = std::chrono::milliseconds(1'500);
// Whoever has had so much time on CPUs without a word goes round in circles.
constexpr Nanoseconds kRunMax = std::chrono::seconds(30);
constexpr std::string_view kLinkThread = "lensfs-link";

// As directories; those of the thread that answers the keeper alone, when it is there and
// `only_link` says so.
std::vector<std::string> ListTasks(pid_t pid, bool only_link) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/task/";
  std::vector<std::string> tasks;
  DIR* const stream = opendir(directory.c_str());
  if (stream == nullptr) return tasks;
  core::FileBuffer buffer(64);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is ours alone.
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] == '.') continue;
    std::string task = directory + entry->d_name;
    const auto name = core::ReadFileAt(AT_FDCWD, (task + "/comm").c_str(), buffer);
    if (only_link && name && name->starts_with(kLinkThread)) {
      tasks = {std::move(task)};
      break;
    }
    tasks.push_back(std::move(task));
  }
  closedir(stream);
  return tasks;
}

void SetPreload(const std::string& library) {
  // NOLINTBEGIN(concurrency-mt-unsafe): there is one thread.
  const char* const others = getenv("LD_PRELOAD");
  const std::string all = others == nullptr ? library : library + ":" + others;
  (void)setenv("LD_PRELOAD", all.c_str(), 1);
  (void)setenv(core::kPreloadVariable, library.c_str(), 1);
  // NOLINTEND(concurrency-mt-unsafe)
}

// In the child of a process with one thread. No descriptor here has one of the numbers that they
// get there.
[[noreturn]] void BecomeWorker(const Options& options, int link, int oom_score) {
  // A Ctrl-C on the keeper's terminal is the keeper's business.
  setsid();
  core::TakeSessionPrecedence();
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
  WriteOomScore(oom_score);
  GiveUpKeepersPrivileges();
  // A filter on the keeper's: what one of them refuses is refused.
  if (options.is_filtered) (void)RefuseOtherSyscalls(Allowed::kWorker);
  if (!options.preload.empty()) SetPreload(options.preload);
  dup2(link, core::kWorkerLinkFd);
  int number = core::kWorkerFirstFd;
  for (const int fd : options.fds) dup2(fd, number++);
  execv(options.worker.front(), options.worker.data());
  _exit(127);
}

}  // namespace

bool Worker::IsStarved() {
  const bool is_served = state == State::kBooted || state == State::kServing;
  const bool has_wanted = watch.HasWantedCpu(ListTasks(pid, is_served));
  return has_wanted && watch.RunTime() < kRunMax;
}

bool Worker::IsStuck() {
  const Nanoseconds now = core::NowMonotonic();
  if (state != State::kKilled && now - heard_at > kWatchAfter && IsStarved()) starved_at = now;
  switch (state) {
    case State::kBooting:
      return now - std::max(since, starved_at) > kBootMax;
    case State::kAsked:
      return now - std::max(since, starved_at) > kStartMax;
    case State::kBooted:
    case State::kServing:
      return now - std::max(heard_at, starved_at) > kSilenceMax;
    case State::kReleasing:
    case State::kReleased:
      return now - std::max(since, starved_at) > kSilenceMax;
    case State::kKilled:
      return false;
  }
  return false;
}

bool Worker::DoesNotEnd() const {
  return state == State::kKilled && TimeInState() > kDyingMax;
}

bool Worker::HasLeft() const {
  if (is_child) return false;
  pollfd polled{.fd = link.get(), .events = 0, .revents = 0};
  return poll(&polled, 1, 0) != 0;
}

void Worker::Kill(Nanoseconds unwell) {
  (void)kill(pid, SIGKILL);
  if (state != State::kKilled) well_until = heard_at - unwell;
  Enter(State::kKilled);
}

Result<Worker> Spawn(const Options& options, int oom_score) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return SystemError("make", "link");
  }
  Worker worker;
  worker.link.reset(ends[0]);
  const Fd other(ends[1]);
  const Fd high(fcntl(other.get(), F_DUPFD_CLOEXEC, core::kWorkerFirstFd + core::kLinkFdCount));
  if (!high.valid()) return SystemError("duplicate", "link");
  worker.pid = fork();
  if (worker.pid < 0) return SystemError("fork", options.worker.front());
  if (worker.pid == 0) BecomeWorker(options, high.get(), oom_score);
  worker.Enter(Worker::State::kBooting);
  return worker;
}

Result<Worker> Adopt(int link, pid_t pid) {
  Worker worker;
  worker.is_child = false;
  worker.link.reset(link);
  ucred peer{.pid = pid, .uid = 0, .gid = 0};
  socklen_t size = sizeof peer;
  if (pid == 0 && getsockopt(link, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return SystemError("ask for peer", "link");
  }
  worker.pid = peer.pid;
  worker.Enter(Worker::State::kServing);
  worker.started_at = worker.since;
  return worker;
}

}  // namespace keeper
