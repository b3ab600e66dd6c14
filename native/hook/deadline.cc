// SPDX-License-Identifier: Apache-2.0
#include "hook/deadline.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"

namespace hook {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::SystemError;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

[[noreturn]] void RunChild(const Fd& out, const std::function<std::string()>& work) {
  const Fd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null.valid()) _exit(1);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) (void)dup2(null.get(), fd);
  const std::string text = work();
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = write(out.get(), rest.data(), rest.size());
    if (count <= 0) _exit(1);
    rest.remove_prefix(static_cast<size_t>(count));
  }
  _exit(0);
}

Result<std::string> ReadUntil(const Fd& in, steady_clock::time_point end) {
  std::string text;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(end - steady_clock::now());
    pollfd poller{.fd = in.get(), .events = POLLIN, .revents = 0};
    const int ready = poll(&poller, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return SystemError("poll", "");
    if (ready == 0) return Error{.errno_value = ETIMEDOUT, .operation = "wait", .path = ""};
    char bytes[4096];
    const ssize_t count = read(in.get(), bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read", "");
    if (count == 0) return text;
    text.append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace

Result<std::string> RunWithDeadline(milliseconds limit, const std::function<std::string()>& work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe", "");
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const pid_t child = fork();
  if (child < 0) return SystemError("fork", "");
  if (child == 0) RunChild(out, work);
  out.reset();
  auto text = ReadUntil(in, steady_clock::now() + limit);
  if (!text) (void)kill(child, SIGKILL);
  // A child that waits for a daemon does not end even when it is killed.
  int status = 0;
  // NOLINTNEXTLINE(misc-include-cleaner): <sys/wait.h> has WNOHANG, and <stdlib.h> has it too.
  (void)waitpid(child, &status, text ? 0 : WNOHANG);
  return text;
}

}  // namespace hook
