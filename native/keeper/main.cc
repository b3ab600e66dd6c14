// SPDX-License-Identifier: Apache-2.0
// The process that `lensfs serve` becomes. See keeper.h.
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <cstdio>
#include <optional>
#include <span>
#include <utility>

#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/precedence.h"
#include "core/base/result.h"
#include "keeper/containers.h"
#include "keeper/keeper.h"
#include "keeper/log.h"
#include "keeper/notify.h"
#include "keeper/oom_score.h"
#include "keeper/options.h"
#include "keeper/privileges.h"
#include "keeper/stand_in.h"
#include "keeper/syscall_filter.h"

namespace {

constexpr int kUsageExitCode = 2;
// Killed last when memory runs out, short of never.
constexpr int kOomScore = -999;

// Out of the way of the numbers that a worker gets them under.
void MoveUp(int& fd) {
  if (fd < 0) return;
  core::Fd old(fd);
  fd = fcntl(old.get(), F_DUPFD_CLOEXEC, core::kWorkerFirstFd + core::kLinkFdCount);
}

core::Fd OpenSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2, SIGCHLD}) {
    sigaddset(&signals, signal);
  }
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  // Without an effect, but not deadly.
  (void)::signal(SIGUSR1, SIG_IGN);
  return core::Fd(signalfd(-1, &signals, SFD_CLOEXEC));
}

}  // namespace

int main(int argc, char** argv) {
  const auto command = keeper::RunContainersCommand(argc, argv);
  if (command) return *command;
  auto options = keeper::ParseOptions(std::span(argv, static_cast<size_t>(argc)).subspan(1));
  if (!options) {
    (void)std::fputs("lensfs-keeper: started by \"lensfs serve\" only\n", stderr);
    return kUsageExitCode;
  }
  keeper::FindJournal();
  for (int& fd : options->fds) MoveUp(fd);
  MoveUp(options->predecessor_fd);
  core::TakePrecedence();
  keeper::GiveUpPrivileges();
  if (options->is_filtered) {
    const core::Status refused = keeper::RefuseOtherSyscalls(keeper::Allowed::kKeeper);
    if (!refused) {
      keeper::LogFailure("Cannot refuse system calls without use, ignoring", refused.error());
    }
  }
  if (options->outlive) {
    const auto exit_code = keeper::LeaveStandIn(options->cgroups);
    if (exit_code) return *exit_code;
  }
  const int oom_score = keeper::ReadOomScore();
  keeper::WriteOomScore(kOomScore);
  core::Fd signals = OpenSignals();
  keeper::Keeper keeper(
      std::move(*options), keeper::Notifier::FromEnvironment(), std::move(signals), oom_score);
  return keeper.Run();
}
