// SPDX-License-Identifier: Apache-2.0
#include "hook/deadline.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
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
#include <optional>
#include <string>
#include <utility>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace hook {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kStackBytes = size_t{256} * 1024;

// What both processes see.
struct Shared {
  explicit Shared(Work what) : work(std::move(what)) {}

  Work work;
  std::atomic<uint32_t> steps = 0;
  std::optional<std::string> text;  // read when the child has ended
};

int RunChild(void* argument) {
  auto* const shared = static_cast<Shared*>(argument);
  (void)close_range(STDIN_FILENO, STDERR_FILENO, 0);
  shared->text = shared->work([shared] { shared->steps.fetch_add(1, std::memory_order_relaxed); });
  _exit(0);
}

// At the low end of the child's stack, and like that never unmapped: a child that was given up may
// still need them.
Result<Shared*> MakeShared(const Work& work) {
  void* const memory = mmap(nullptr,
                            kStackBytes,
                            PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE,
                            -1,
                            0);
  if (memory == MAP_FAILED) return SystemError("map memory", "");
  return new (memory) Shared(work);
}

// A process of its own, which can be given up, and in the memory of this one: to copy that takes
// longer than all the work.
Result<pid_t> StartChild(Shared* shared, Fd& pidfd) {
  int descriptor = -1;
  const pid_t child = clone(RunChild,
                            reinterpret_cast<char*>(shared) + kStackBytes,
                            CLONE_VM | CLONE_PIDFD | SIGCHLD,
                            shared,
                            &descriptor);
  if (child < 0) return SystemError("clone", "");
  pidfd = Fd(descriptor);
  return child;
}

// True when the process has ended.
Result<bool> WaitFor(const Fd& pidfd, milliseconds limit) {
  pollfd poller{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&poller, 1, static_cast<int>(std::max(limit, milliseconds(0)).count()));
  if (ready < 0 && errno != EINTR) return SystemError("poll", "");
  return ready > 0;
}

Status WaitWhileThereAreSteps(const Fd& pidfd, const Shared& shared, const Patience& patience) {
  const auto end = steady_clock::now() + patience.total;
  for (;;) {
    const uint32_t before = shared.steps.load(std::memory_order_relaxed);
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const auto has_ended = WaitFor(pidfd, std::min(left, patience.silence));
    if (!has_ended) return has_ended.error();
    if (*has_ended) return Unit{};
    const uint32_t after = shared.steps.load(std::memory_order_relaxed);
    if (after == before || steady_clock::now() >= end) {
      return Error{.errno_value = ETIMEDOUT, .operation = "wait", .path = ""};
    }
  }
}

// One that ends together with this process may hide that end from crun, whose child it becomes: of
// two SIGCHLD at the same moment there is one. But one that waits for a daemon which has taken its
// request does not end even when it is killed.
void EndChild(pid_t child, const Fd& pidfd) {
  constexpr milliseconds kLimit{1000};
  (void)kill(child, SIGKILL);
  (void)WaitFor(pidfd, kLimit);
}

}  // namespace

Result<std::string> RunWithDeadline(const Patience& patience, const Work& work) {
  const auto shared = MakeShared(work);
  if (!shared) return shared.error();
  Fd pidfd;
  const auto child = StartChild(*shared, pidfd);
  if (!child) return child.error();
  const Status waited = WaitWhileThereAreSteps(pidfd, **shared, patience);
  if (!waited) EndChild(*child, pidfd);
  int status = 0;
  // NOLINTNEXTLINE(misc-include-cleaner): <sys/wait.h> has WNOHANG, and <stdlib.h> has it too.
  (void)waitpid(*child, &status, WNOHANG);
  if (!waited) return waited.error();
  std::optional<std::string> text = std::move((*shared)->text);
  if (text) return *std::move(text);
  return Error{.errno_value = ECHILD, .operation = "wait", .path = ""};
}

}  // namespace hook
