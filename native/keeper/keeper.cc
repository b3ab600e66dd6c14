// SPDX-License-Identifier: Apache-2.0
#include "keeper/keeper.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/handover.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "keeper/containers.h"
#include "keeper/log.h"
#include "keeper/notify.h"
#include "keeper/options.h"
#include "keeper/worker.h"
#include "mounts/stable_tree.h"

namespace keeper {
namespace {

using core::LinkMessage;
using core::Nanoseconds;
using core::NowMonotonic;
using core::Status;
using State = Worker::State;

constexpr Nanoseconds kTick = std::chrono::seconds(1);
// Between the starts of workers that do not last.
constexpr Nanoseconds kDelayMin = std::chrono::seconds(1);
// Whoever has a file of ours open waits for so long at the most.
constexpr Nanoseconds kDelayMax = std::chrono::seconds(5);
// How long a worker waits for a reader before it says so.
constexpr Nanoseconds kStuckAfter = std::chrono::seconds(5);
// A worker that has served for so long can be trusted with the tree again.
constexpr Nanoseconds kHealthyAfter = std::chrono::seconds(2);

std::string Member(const char* name, int64_t value) {
  return std::string("\"") + name + "\":" + std::to_string(value);
}

}  // namespace

Keeper::Keeper(Options options, Notifier notifier, core::Fd signals, int oom_score)
    : options_(std::move(options)),
      notifier_(std::move(notifier)),
      signals_(std::move(signals)),
      oom_score_(oom_score),
      is_stacked_(options_.is_stacked) {}

int Keeper::Run() {
  const std::pair<core::LinkFd, const char*> stored[] = {
      {core::kSharedFd, "shared"}, {core::kPinnedFd, "pinned"}, {core::kJournalFd, "journal"}};
  for (const auto& [index, name] : stored) {
    // Without FDPOLL=0 the manager would be woken at every request.
    notifier_.Send(std::string("FDSTORE=1\nFDPOLL=0\nFDNAME=lensfs-") + name,
                   {&options_.fds.at(index), 1});
  }
  RememberDevices({.tree = options_.tree, .run_dir = options_.run_dir});
  Begin();
  while (!is_done_) Wait();
  Leave();
  return exit_code_;
}

void Keeper::Begin() {
  if (options_.outlive) {
    auto offer = core::OfferHandover(options_.run_dir + "/" + core::kKeeperName);
    if (offer) {
      offer_ = std::move(*offer);
    } else {
      LogFailure("Cannot offer to be replaced", offer.error());
    }
  }
  if (options_.predecessor_fd < 0) {
    Start();
    return;
  }
  auto adopted = Adopt(options_.predecessor_fd, options_.predecessor_worker);
  if (adopted) {
    active_ = std::move(*adopted);
    Replace();
  } else {
    LogFailure("Cannot reach the worker of an earlier keeper", adopted.error());
    Start();
  }
}

void Keeper::Wait() {
  const auto link_of = [](const std::optional<Worker>& worker) {
    return worker ? worker->link.get() : -1;
  };
  // Nothing is asked of the last one but whether its reader is gone.
  const bool is_watched = options_.outlive && !is_alone_;
  std::array<pollfd, 5> polled = {
      pollfd{.fd = signals_.get(), .events = POLLIN, .revents = 0},
      pollfd{.fd = link_of(active_), .events = POLLIN, .revents = 0},
      pollfd{.fd = link_of(next_), .events = POLLIN, .revents = 0},
      pollfd{.fd = CanHandOver() ? offer_.get() : -1, .events = POLLIN, .revents = 0},
      pollfd{.fd = is_watched ? STDERR_FILENO : -1, .events = 0, .revents = 0},
  };
  Nanoseconds wake_at = tick_at_;
  for (const auto& time : {start_at_, alone_until_, heal_at_, finish_at_})
    wake_at = std::min(wake_at, time.value_or(wake_at));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_at - NowMonotonic()).count();
  (void)poll(polled.data(), polled.size(), static_cast<int>(std::max<int64_t>(0, left)));
  bool has_heard = false;
  for (auto* worker : {&active_, &next_}) {
    const pollfd& link = polled[worker == &active_ ? 1 : 2];
    if (link.revents == 0 || !*worker || (*worker)->link.get() != link.fd) continue;
    OnPacket(**worker);
    has_heard = true;
  }
  // Only then: what a worker has said before its end tells whether that is one to complain of.
  if (polled[0].revents != 0 && !has_heard) OnSignal();
  if (polled[4].revents != 0) OnAlone();
  if (polled[3].revents != 0 && CanHandOver()) HandOver();
  const Nanoseconds now = NowMonotonic();
  if (start_at_ && now >= *start_at_) {
    start_at_.reset();
    Start();
  }
  if (heal_at_ && now >= *heal_at_ && !is_stopping_) Heal();
  if (finish_at_ && now >= *finish_at_) FinishStop();
  if (alone_until_ && now >= *alone_until_) {
    alone_until_.reset();
    Log("info", "No other keeper has come");
    Stop(0);
  }
  if (now >= tick_at_) OnTick();
}

void Keeper::OnSignal() {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
  switch (info.ssi_signo) {
    case SIGCHLD:
      return Reap();
    case SIGHUP:
      must_reload_ = true;
      return Reload();
    case SIGUSR2:
      return Replace();
    default:
      return Stop(0);
  }
}

// A worker whose program does not run yet would end of it.
void Keeper::Reload() {
  if (!must_reload_ || !active_ || active_->started_at == Nanoseconds{}) return;
  must_reload_ = false;
  (void)kill(active_->pid, SIGHUP);
}

void Keeper::OnPacket(Worker& worker) {
  const auto packet = core::ReceiveLink(worker.link.get());
  if (packet) {
    worker.Hear();
    return OnMessage(worker, packet->message, packet->value);
  }
  worker.link.reset();
  // The end of a child is told by a signal.
  if (!worker.is_child) OnEnd(worker);
}

void Keeper::OnMessage(Worker& worker, LinkMessage message, uint32_t value) {
  const bool is_active = active_ && &worker == &*active_;
  switch (message) {
    case LinkMessage::kBooted:
      if (worker.state == State::kBooting) worker.Enter(State::kBooted);
      if (is_replacing_ && !is_active && active_) {
        active_->Send(LinkMessage::kRelease);
        active_->Enter(State::kReleasing);
      }
      return;
    case LinkMessage::kServing:
      worker.Enter(State::kServing);
      if (!is_stacked_ && (!has_served_ || is_healing_)) {
        worker.Send(LinkMessage::kStack);
      }
      if (is_stacked_) OnStacked(0);
      return;
    case LinkMessage::kStacked:
      return OnStacked(value);
    case LinkMessage::kReleased:
      worker.Enter(State::kReleased);
      if (is_stopping_ || !is_active) return;
      leaving_.push_back(std::move(*active_));
      active_.reset();
      return Start();
    case LinkMessage::kStuck:
      Log("error",
          "A reader does not come back, replacing the worker",
          Member("worker", worker.pid));
      return worker.Kill(kStuckAfter);
    case LinkMessage::kStarted:
      worker.started_at = NowMonotonic();
      return Reload();
    case LinkMessage::kLogLevel:
      return SetLogLevel(value);
    case LinkMessage::kProblems:
      return notifier_.Send(StatusOf(value));
    case LinkMessage::kStopWanted:
      return Stop(0);
    case LinkMessage::kLost:
      return OnLost();
    default:
      return;
  }
}

void Keeper::OnStacked(uint32_t errno_value) {
  if (errno_value != 0) {
    LogFailure("Cannot put the files on the tree",
               {.errno_value = static_cast<int>(errno_value),
                .operation = "mount",
                .path = options_.tree});
    if (!has_served_) Stop(1);
    return;
  }
  is_stacked_ = true;
  if (!has_served_) notifier_.Send("READY=1");
  has_served_ = true;
  is_healing_ = false;
  ReturnFiles();
  if (options_.standby && !next_) SpawnInto(next_);
}

void Keeper::OnTick() {
  tick_at_ = NowMonotonic() + kTick;
  bool is_well = false;
  for (auto* const place : {&active_, &next_}) {
    if (!place->has_value()) continue;
    Worker& worker = **place;
    if (worker.IsStuck()) {
      Log("error", "A worker is silent, replacing it", Member("worker", worker.pid));
      worker.Kill();
    } else if (worker.DoesNotEnd()) {
      // Its threads are gone but for those that the kernel holds in a request, which the next
      // worker is to answer.
      leaving_.push_back(std::move(worker));
      place->reset();
      OnEnd(leaving_.back());
      return;
    } else if (worker.state == State::kServing || worker.state == State::kBooted) {
      worker.Send(LinkMessage::kPing);
      is_well = is_well || place == &active_;
    }
  }
  std::erase_if(leaving_, [](const Worker& worker) { return worker.HasLeft(); });
  for (Worker& worker : leaving_) {
    if (worker.IsStuck()) worker.Kill();
  }
  if (is_well) notifier_.Send("WATCHDOG=1");
  if (!active_ || !active_->HasLasted(kHealthyAfter) || is_stopping_) return;
  delay_ = Nanoseconds{};
  if (!is_stacked_ && has_served_) {
    is_stacked_ = true;
    Log("info",
        "A worker is well, its files come back to the tree",
        Member("worker", active_->pid));
    active_->Send(LinkMessage::kStack);
  }
  if (options_.standby && !next_) SpawnInto(next_);
}

void Keeper::Reap() {
  int status = 0;
  pid_t pid = 0;
  // NOLINTBEGIN(misc-include-cleaner): <sys/wait.h> has these macros, and <stdlib.h> has them too.
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == containers_pid_) {
      OnContainersDone();
      continue;
    }
    const bool is_known = (active_ && active_->pid == pid) || (next_ && next_->pid == pid);
    if (is_known && !is_stopping_) {
      const std::string cause = WIFSIGNALED(status) ? Member("signal", WTERMSIG(status))
                                                    : Member("exitCode", WEXITSTATUS(status));
      Log("error", "A worker has ended", Member("worker", pid) + "," + cause);
    }
    std::erase_if(leaving_, [pid](const Worker& worker) { return worker.pid == pid; });
    if (active_ && active_->pid == pid) {
      was_killed_ =
          WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && active_->state != State::kKilled;
      OnEnd(*active_);
    } else if (next_ && next_->pid == pid) {
      OnEnd(*next_);
    }
  }
  // NOLINTEND(misc-include-cleaner)
}

void Keeper::OnEnd(const Worker& worker) {
  if (next_ && &worker == &*next_) {
    if (is_replacing_) Log("error", "The new worker has ended, keeping the old one");
    is_replacing_ = false;
    next_.reset();
    return;
  }
  OnActiveEnd(worker);
}

void Keeper::OnActiveEnd(const Worker& worker) {
  // The orderly end of one that let go belongs to a replacement, or to a stop.
  // Nor is one to blame that had to make way for another connection.
  const bool is_blameless = is_healing_ && worker.state == State::kKilled;
  if (worker.state != State::kReleasing && !is_blameless) CountDeath(worker);
  if (active_ && &worker == &*active_) active_.reset();
  if (is_stopping_) {
    is_done_ = !is_withdrawing_ && !must_withdraw_ && !finish_at_;
  } else if (delay_ == Nanoseconds{}) {
    Start();
  } else {
    start_at_ = NowMonotonic() + delay_;
  }
}

void Keeper::CountDeath(const Worker& worker) {
  if (worker.state == State::kKilled) unwell_ += NowMonotonic() - worker.well_until;
  const Nanoseconds now = NowMonotonic() - unwell_;
  deaths_.push_back(now);
  while (now - deaths_.front() > options_.death_window) deaths_.pop_front();
  if (deaths_.size() < options_.deaths_max || is_stopping_) return;
  delay_ = std::clamp(delay_ * 2, kDelayMin, kDelayMax);
  if (!is_stacked_) return;
  is_stacked_ = false;
  const Status stacked = mounts::StackLayer(options_.tree, options_.native);
  if (!stacked) {
    LogFailure("Cannot put the host's files on the tree", stacked.error());
    return;
  }
  Log("error",
      "Workers do not last, the tree shows the host's files",
      Member("deaths", static_cast<int64_t>(deaths_.size())));
}

// Gives the requests to the next worker, a new one when there is none.
void Keeper::Start() {
  if (next_) {
    active_ = std::move(next_);
    next_.reset();
  } else {
    SpawnInto(active_);
  }
  is_replacing_ = false;
  if (!active_) return;
  if (active_->state == State::kKilled) return;
  active_->Enter(State::kAsked);
  // Waits in the link until it has booted.
  ++served_count_;
  active_->Send(LinkMessage::kServe,
                was_killed_ || is_healing_ ? served_count_ | core::kServeForgives : served_count_);
  was_killed_ = false;
}

void Keeper::SpawnInto(std::optional<Worker>& place) {
  auto spawned = Spawn(options_, oom_score_);
  if (spawned) {
    place = std::move(*spawned);
    return;
  }
  LogFailure("Cannot start a worker", spawned.error());
  if (&place == &active_) start_at_ = NowMonotonic() + kDelayMin;
}

void Keeper::Replace() {
  if (is_stopping_ || is_replacing_ || !active_) return;
  is_replacing_ = true;
  if (!next_) {
    SpawnInto(next_);
    is_replacing_ = next_.has_value();
  } else if (next_->state == State::kBooted) {
    active_->Send(LinkMessage::kRelease);
    active_->Enter(State::kReleasing);
  }
}

}  // namespace keeper
