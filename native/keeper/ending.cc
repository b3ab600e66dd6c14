// SPDX-License-Identifier: Apache-2.0
// How a keeper ends: stopped, given up by everybody, or replaced by another one.
#include <unistd.h>

#include <chrono>
#include <string>

#include "core/base/clock.h"
#include "core/base/handover.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "keeper/containers.h"
#include "keeper/keeper.h"
#include "keeper/log.h"
#include "keeper/stand_in.h"
#include "keeper/worker.h"
#include "mounts/connection_mount.h"
#include "mounts/stable_tree.h"

namespace keeper {

using core::LinkMessage;
using core::Status;
using State = Worker::State;

namespace {

// A reader may have opened a file just before it was taken away: its read is still answered.
constexpr core::Nanoseconds kLastReads = std::chrono::milliseconds(250);

}  // namespace

// Not while it is about to change what another keeper would get.
bool Keeper::CanHandOver() const {
  if (!offer_.valid() || is_stopping_ || is_replacing_) return false;
  return !active_ || active_->state == State::kServing;
}

// Whoever takes over has the descriptors before this one lets go of them; were it to fail then, the
// worker, whose link it has, offers them again.
void Keeper::HandOver() {
  const int link = active_ ? active_->link.get() : -1;
  const pid_t worker = active_ ? active_->pid : 0;
  const Status handed = core::HandOverFromKeeper(offer_.get(), options_.fds, link, worker);
  if (!handed) return LogFailure("Cannot hand over to another keeper", handed.error());
  if (next_) next_->Kill();
  Log("info", "Handed over to another keeper");
  exit_code_ = kHandedOverExitCode;
  is_done_ = true;
}

void Keeper::OnAlone() {
  is_alone_ = true;
  if (options_.outlive && !is_stopping_) {
    alone_until_ = core::NowMonotonic() + *options_.outlive;
  }
}

void Keeper::Stop(int exit_code) {
  if (is_stopping_) {
    Log("info", "Already stopping, ignoring the signal");
    return;
  }
  is_stopping_ = true;
  offer_.reset();
  alone_until_.reset();
  exit_code_ = exit_code;
  notifier_.Send("STOPPING=1");
  Log("info", "Stopping");
  if (next_) next_->Kill();
  next_.reset();
  start_at_.reset();
  // While there still is somebody to answer: no new reader can come, and those who are inside get
  // their answer before the readers stop.
  // Nobody keeps the connections: what stays, here and in containers, must not need them.
  const bool is_last = is_lost_ || !options_.leave_mounted || !notifier_.IsListening();
  if (is_last) (void)mounts::StackLayer(options_.tree, options_.native);
  must_withdraw_ = is_last && !is_lost_;
  if (containers_pid_ != 0) return;
  if (must_withdraw_) return WithdrawFiles();
  FinishStop();
}

void Keeper::ReturnFiles() {
  if (!must_return_ || containers_pid_ != 0 || is_stopping_) return;
  must_return_ = false;
  const auto started =
      keeper::StartWork(ReturnToContainers, {.tree = options_.tree, .run_dir = options_.run_dir});
  if (!started) return LogFailure("Cannot give containers their files back", started.error());
  containers_pid_ = *started;
}

void Keeper::WithdrawFiles() {
  must_withdraw_ = false;
  const auto started = keeper::StartWork(WithdrawFromContainers,
                                         {.tree = options_.tree, .run_dir = options_.run_dir});
  if (!started) {
    LogFailure("Cannot take containers' files away", started.error());
    return FinishStop();
  }
  containers_pid_ = *started;
  is_withdrawing_ = true;
}

void Keeper::OnContainersDone() {
  containers_pid_ = 0;
  is_withdrawing_ = false;
  if (!is_stopping_) return ReturnFiles();
  if (must_withdraw_) return WithdrawFiles();
  finish_at_ = core::NowMonotonic() + kLastReads;
}

void Keeper::FinishStop() {
  finish_at_.reset();
  if (!options_.leave_mounted) Unmount();
  if (!active_) {
    is_done_ = true;
    return;
  }
  active_->Send(LinkMessage::kRelease);
  active_->Enter(State::kReleasing);
}

void Keeper::Unmount() {
  if (!is_lost_) {
    const Status removed = mounts::RemoveTree(options_.tree);
    if (!removed) LogFailure("Cannot unmount the tree", removed.error());
  }
  for (const char* const name : {"/mnt/shared", "/mnt/pinned"}) {
    (void)mounts::Unmount(options_.run_dir + name);
  }
}

void Keeper::Leave() {
  if (exit_code_ == kHandedOverExitCode) return;
  // What stays mounted is the service manager's, and so is the control socket.
  if (!options_.leave_mounted) {
    for (const char* const name : {"/mnt/shared", "/mnt/pinned", "/mnt"}) {
      (void)rmdir((options_.run_dir + name).c_str());
    }
    (void)unlink((options_.run_dir + "/control.sock").c_str());
    if (options_.outlive) {
      (void)unlink((options_.run_dir + "/" + core::kKeeperName).c_str());
    }
  }
  Log("info", "Stopped");
}

}  // namespace keeper
