// SPDX-License-Identifier: Apache-2.0
#include "keeper/stand_in.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/fd.h"
#include "keeper/log.h"

namespace keeper {
namespace {

using core::Fd;

constexpr int kFailed = 1;
constexpr int kSignalled = 128;  // as shells have it

std::optional<int> Fail(const std::string& what) {
  Complain("Cannot " + what + ": " + strerrordesc_np(errno));
  return kFailed;
}

// In the process that goes on.
std::optional<int> Leave(const std::vector<std::string>& cgroups, const Fd& log) {
  // No signal of the container's terminal or session.
  setsid();
  for (const std::string& cgroup : cgroups) {
    const std::string path = cgroup + "/cgroup.procs";
    const Fd procs(open(path.c_str(), O_WRONLY | O_CLOEXEC));
    // 0 is whoever writes it.
    if (!procs.valid() || write(procs.get(), "0", 1) != 1) return Fail("enter \"" + path + "\"");
  }
  // The container's own are held by its runtime, which would wait for whoever has them.
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (null.valid()) dup2(null.get(), STDIN_FILENO);
  dup2(log.get(), STDOUT_FILENO);
  dup2(log.get(), STDERR_FILENO);
  // A log that nobody reads is no reason to end.
  (void)signal(SIGPIPE, SIG_IGN);
  return std::nullopt;
}

class StandIn {
 public:
  StandIn(pid_t keeper, Fd log, Fd signals)
      : keeper_(keeper), log_(std::move(log)), signals_(std::move(signals)) {}

  int Run() {
    while (!exit_code_) {
      std::array<pollfd, 2> polled = {
          pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
          pollfd{.fd = log_.get(), .events = POLLIN, .revents = 0},
      };
      (void)poll(polled.data(), polled.size(), -1);
      // The log first: its last lines say why the keeper has ended.
      if (polled[1].revents != 0) {
        PassOn();
      } else if (polled[0].revents != 0) {
        OnSignal();
      }
    }
    return *exit_code_;
  }

 private:
  void PassOn() {
    std::array<char, 4096> bytes{};
    const ssize_t length = read(log_.get(), bytes.data(), bytes.size());
    if (length > 0) {
      (void)!write(STDERR_FILENO, bytes.data(), static_cast<size_t>(length));
    } else {
      log_.reset();
    }
  }

  void OnSignal() {
    signalfd_siginfo info{};
    if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
    const int number = static_cast<int>(info.ssi_signo);
    if (number == SIGCHLD) return Reap();
    if (number == SIGHUP || number == SIGUSR2) {
      if (keeper_ > 0) (void)kill(keeper_, number);
      return;
    }
    if (keeper_ > 0) Log("info", "The container ends, lensfs goes on outside");
    exit_code_ = 0;
  }

  void Reap() {
    int status = 0;
    // NOLINTBEGIN(misc-include-cleaner): <sys/wait.h> has these macros, and <stdlib.h> has them
    // too.
    if (keeper_ <= 0 || waitpid(keeper_, &status, WNOHANG) != keeper_) return;
    keeper_ = 0;
    if (WIFSIGNALED(status)) {
      exit_code_ = kSignalled + WTERMSIG(status);
    } else if (WEXITSTATUS(status) != kHandedOverExitCode) {
      exit_code_ = WEXITSTATUS(status);
    }
    // NOLINTEND(misc-include-cleaner)
  }

  pid_t keeper_;  // 0 when it has ended
  Fd log_;
  Fd signals_;
  std::optional<int> exit_code_;
};

}  // namespace

std::optional<int> LeaveStandIn(const std::vector<std::string>& cgroups) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Fail("make a pipe for the log");
  Fd readable(ends[0]);
  Fd writable(ends[1]);
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD}) sigaddset(&signals, number);
  // Before the fork: the keeper may end at once.
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  const pid_t keeper = fork();
  if (keeper < 0) return Fail("fork");
  if (keeper == 0) {
    readable.reset();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return Leave(cgroups, writable);
  }
  // What outlives the container must not be held here.
  constexpr int kLogFd = STDERR_FILENO + 1;
  writable.reset();
  if (readable.get() != kLogFd) dup2(readable.get(), kLogFd);
  (void)readable.release();
  (void)close_range(kLogFd + 1, ~0U, 0);
  (void)signal(SIGPIPE, SIG_IGN);
  Fd received(signalfd(-1, &signals, SFD_CLOEXEC));
  return StandIn(keeper, Fd(kLogFd), std::move(received)).Run();
}

}  // namespace keeper
