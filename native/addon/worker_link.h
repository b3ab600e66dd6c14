// SPDX-License-Identifier: Apache-2.0
// A worker's end of the link to its keeper, and the thread that listens there. What concerns the
// data plane is done by this thread, however busy JavaScript is.
//
// Source: core/base/link.h.
// Units:  none.
// Errors: none; a keeper that cannot be told anything is dead, which the thread notices.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "addon/session.h"
#include "core/base/fd.h"
#include "core/base/link.h"

namespace addon {

class WorkerLink {
 public:
  // What JavaScript is to know.
  enum class Event : uint8_t {
    kServe,     // value: how many workers have been told so
    kReleased,  // the data plane has ended: end
    kOrphaned,  // the keeper is dead
    kAdopted,   // another one has taken its place
  };
  using Listener = std::function<void(Event, uint32_t)>;

  // `run_dir` is where a next keeper finds this worker if this one dies.
  WorkerLink(core::Fd link, std::string run_dir, Listener listener);
  // Joins the thread.
  ~WorkerLink();
  WorkerLink(const WorkerLink&) = delete;
  WorkerLink& operator=(const WorkerLink&) = delete;

  // From any thread.
  void Send(core::LinkMessage message, uint32_t value = 0);
  // The data plane to ask after, to put on the tree, and to end.
  void Attach(std::shared_ptr<Session> session);
  // Of the last kServe.
  [[nodiscard]] bool Forgives() const { return forgives_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool IsOrphaned() const { return is_orphaned_.load(); }
  void Stop();

 private:
  void Run();
  void OnPacket();
  void OnMessage(core::LinkMessage message, uint32_t value);
  void BecomeOrphan();
  void OnHandover();
  std::shared_ptr<Session> AttachedSession();

  const std::string run_dir_;
  const Listener listener_;
  core::Fd wake_;  // an eventfd: the thread is to end
  std::atomic<bool> stopping_{false};
  std::atomic<bool> is_orphaned_{false};
  std::atomic<bool> is_released_{false};
  std::atomic<bool> forgives_{false};
  core::Fd handover_;  // the thread's alone
  std::mutex mutex_;   // guards what follows
  core::Fd link_;
  std::shared_ptr<Session> session_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace addon
