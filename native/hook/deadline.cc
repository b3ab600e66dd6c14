// SPDX-License-Identifier: Apache-2.0
#include "hook/deadline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
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
#include <string>
#include <string_view>

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

// What the child has done, in memory that both processes have: a write to the pipe would wake the
// parent for nothing.
class Steps {
 public:
  static Result<Steps> Create() {
    void* const memory =
        mmap(nullptr, sizeof(Count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return SystemError("map memory", "");
    return Steps(new (memory) Count(0));
  }

  void Add() const { count_->fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] uint32_t Get() const { return count_->load(std::memory_order_relaxed); }

 private:
  using Count = std::atomic<uint32_t>;
  explicit Steps(Count* count) : count_(count) {}

  Count* count_;  // until the process ends, which is soon
};

[[noreturn]] void RunChild(const Fd& out, const Steps& steps, const Work& work) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) _exit(1);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) (void)dup2(null.get(), fd);
  const std::string text = work([&] { steps.Add(); });
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = write(out.get(), rest.data(), rest.size());
    if (count <= 0) _exit(1);
    rest.remove_prefix(static_cast<size_t>(count));
  }
  _exit(0);
}

// True when there is something to read.
Result<bool> WaitFor(const Fd& in, milliseconds limit) {
  pollfd poller{.fd = in.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&poller, 1, static_cast<int>(std::max(limit, milliseconds(0)).count()));
  if (ready < 0 && errno != EINTR) return SystemError("poll", "");
  return ready > 0;
}

Status WaitWhileThereAreSteps(const Fd& in, const Steps& steps, const Patience& patience) {
  const auto end = steady_clock::now() + patience.total;
  for (;;) {
    const uint32_t before = steps.Get();
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    const auto is_ready = WaitFor(in, std::min(left, patience.silence));
    if (!is_ready) return is_ready.error();
    if (*is_ready) return Unit{};
    if (steps.Get() == before || steady_clock::now() >= end) {
      return Error{.errno_value = ETIMEDOUT, .operation = "wait", .path = ""};
    }
  }
}

// The child writes when all is done, and then ends.
Result<std::string> ReadToEnd(const Fd& in) {
  std::string text;
  for (;;) {
    char bytes[4096];
    const ssize_t count = read(in.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", "");
    if (count == 0) return text;
    text.append(bytes, static_cast<size_t>(count));
  }
}

// One that ends together with this process may hide that end from crun, whose child it becomes: of
// two SIGCHLD at the same moment there is one. But one that waits for a daemon which has taken its
// request does not end even when it is killed.
void EndChild(pid_t child) {
  constexpr milliseconds kLimit{1000};
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  (void)kill(child, SIGKILL);
  if (pidfd.valid()) (void)WaitFor(pidfd, kLimit);
  int status = 0;
  // NOLINTNEXTLINE(misc-include-cleaner): <sys/wait.h> has WNOHANG, and <stdlib.h> has it too.
  (void)waitpid(child, &status, WNOHANG);
}

}  // namespace

Result<std::string> RunWithDeadline(const Patience& patience, const Work& work) {
  const auto steps = Steps::Create();
  if (!steps) return steps.error();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe", "");
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t child = fork();
  if (child < 0) return SystemError("fork", "");
  if (child == 0) RunChild(out, *steps, work);
  out.reset();
  const Status waited = WaitWhileThereAreSteps(in, *steps, patience);
  Result<std::string> text = waited ? ReadToEnd(in) : Result<std::string>(waited.error());
  int status = 0;
  if (text) {
    (void)waitpid(child, &status, 0);
  } else {
    EndChild(child);
  }
  return text;
}

}  // namespace hook
