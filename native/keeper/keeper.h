// SPDX-License-Identifier: Apache-2.0
// Holds what must outlive every worker, and sees to it that there always is one that answers.
//
// It never reads or polls a FUSE descriptor: whoever polls one is woken at every request.
//
// Source: none.
// Units:  std::chrono::nanoseconds of the monotonic clock.
// Errors: logged; lensfs goes on as long as there is a way to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "keeper/notify.h"
#include "keeper/options.h"
#include "keeper/worker.h"

namespace keeper {

class Keeper {
 public:
  // `signals` is a signalfd(2).
  Keeper(Options options, Notifier notifier, core::Fd signals, int oom_score);

  // Until it is told to stop; the exit code.
  int Run();

 private:
  void Begin();
  void Wait();
  void OnSignal();
  void Reload();
  void OnPacket(Worker& worker);
  void OnMessage(Worker& worker, core::LinkMessage message, uint32_t value);
  void OnLost();
  [[nodiscard]] bool HasLostAny() const;
  core::Status Renew(core::LinkFd connection);
  void Heal();
  void OnStacked(uint32_t errno_value);
  void OnTick();
  void Reap();
  void OnEnd(const Worker& worker);
  void OnActiveEnd(const Worker& worker);
  void CountDeath(const Worker& worker);
  void Start();
  void SpawnInto(std::optional<Worker>& place);
  void Replace();
  [[nodiscard]] bool CanHandOver() const;
  void HandOver();
  void OnAlone();
  void Stop(int exit_code);
  // Work in containers goes on in a child, one at a time.
  void ReturnFiles();
  void WithdrawFiles();
  void OnContainersDone();
  void FinishStop();
  void Unmount();
  void Leave();

  const Options options_;
  const Notifier notifier_;
  const core::Fd signals_;
  const int oom_score_;

  std::optional<Worker> active_;  // has, or is to have, the requests
  std::optional<Worker> next_;    // is ready, or gets ready, to have them
  std::vector<Worker> leaving_;   // have had them
  bool is_replacing_ = false;     // active_ is to make way for next_
  bool is_stacked_;               // the tree shows the connection's files, or is about to
  bool has_served_ = false;
  bool was_killed_ = false;  // the last worker, and not by this keeper
  uint32_t served_count_ = 0;
  // Of the last few seconds, on a clock that stands still while no worker is well: slow deaths
  // are as many as fast ones.
  std::deque<core::Nanoseconds> deaths_;
  core::Nanoseconds unwell_{};  // how long that clock has stood still
  bool must_reload_ = false;    // SIGHUP has come while nobody could be told
  core::Nanoseconds delay_{};   // before the next start; 0: at once
  std::optional<core::Nanoseconds> start_at_;
  core::Nanoseconds tick_at_{};
  bool is_stopping_ = false;
  pid_t containers_pid_ = 0;     // of the child that works in containers; 0: none does
  bool is_withdrawing_ = false;  // it takes files away
  bool must_withdraw_ = false;   // that is to be done before the end
  std::optional<core::Nanoseconds> finish_at_;  // when the last readers have had their time
  bool must_return_ = true;                     // what has been taken away is to be given back
  std::optional<core::Nanoseconds> heal_at_;    // when a lost connection is to be renewed
  core::Nanoseconds heal_delay_{};
  core::Nanoseconds healed_at_{};  // 0: never
  bool is_healing_ = false;        // until the tree shows the new connection's files
  bool is_lost_ = false;           // the connections do not live any more
  core::Fd offer_;         // listens for a keeper that takes this one's place; invalid: none may
  bool is_alone_ = false;  // its stand-in has ended
  std::optional<core::Nanoseconds> alone_until_;
  bool is_done_ = false;
  int exit_code_ = 0;
};

}  // namespace keeper
