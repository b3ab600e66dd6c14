// SPDX-License-Identifier: Apache-2.0
// The data plane without JavaScript: an engine, and its connections while it serves.
//
// Source: none.
// Units:  none.
// Errors: those of the engine, of the journal and of libfuse's session.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "addon/options.h"
#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/pinned_tree.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"
#include "fuse/triggers.h"
#include "mounts/stable_tree.h"

namespace addon {

class Session {
 public:
  static core::Result<std::unique_ptr<Session>> Open(const SessionOptions& options);
  ~Session() { Stop(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Answers what a predecessor has left unanswered, and then all that comes. `on_end(errno)` is
  // called from a reader thread when a connection was taken away from outside.
  core::Status Serve(ServeOptions options, const std::function<void(int)>& on_end);
  // Before Serve(): the predecessor did not end because of what it was asked.
  void ForgiveRequests() { forgives_requests_ = true; }
  // Lets the readers finish and joins every thread; what is mounted stays, for a successor. Safe to
  // call twice and from any thread.
  void Stop();
  // Whether a reader has been at one request for that long. To be asked at regular times, from one
  // thread.
  bool HasStuckReader(core::Nanoseconds after);

  [[nodiscard]] bool IsServing() const { return shared_ != nullptr; }
  // What Serve() was given.
  [[nodiscard]] const std::vector<int>& KeptFds() const { return serve_.fds; }
  [[nodiscard]] const std::string& TreePath() const { return serve_.tree; }
  [[nodiscard]] mounts::LayerSource TreeSource() const {
    return {.proc = serve_.shared + "/proc",
            .sys = serve_.shared + "/sys",
            .takes_triggers = options_.engine.pressure_triggers};
  }

  // Requests of both connections, as in fuse/journal.h.
  [[nodiscard]] uint64_t Replays() const;
  [[nodiscard]] uint64_t Refusals() const;

  core::engine::Engine& GetEngine() { return *engine_; }
  // For calls from JavaScript, which has one thread.
  core::engine::Scratch& GetScratch() { return scratch_; }
  // How requests come: of the shared connection, and what the pinned one lacks.
  fuse_layer::TransportReport Transport();
  // A pidfd of the keeper, or an invalid one without a keeper.
  void SetKeeper(core::Fd pidfd);
  [[nodiscard]] int64_t OpenHandles() const {
    return shared_tree_ ? shared_tree_->OpenHandles() : 0;
  }

 private:
  Session(const SessionOptions& options, std::unique_ptr<core::engine::Engine> engine);
  [[nodiscard]] bool HasKeeper() const;
  template <typename Tree>
  core::Status Connect(core::LinkFd fd,
                       Tree& tree,
                       fuse_layer::Journal& journal,
                       std::unique_ptr<fuse_layer::Connection>& connection);
  core::Status OpenMemory();
  void HoldWakeFile();
  core::Status StartAll(const std::function<void(int)>& on_end);

  const SessionOptions options_;
  core::engine::Scratch scratch_;
  std::atomic<int> keeper_{-1};    // the last of keepers_
  std::mutex keepers_mutex_;       // guards keepers_
  std::vector<core::Fd> keepers_;  // open to the end: a task may be looking at one
  ServeOptions serve_;
  core::Fd wake_file_;
  bool forgives_requests_ = false;
  std::mutex stop_mutex_;  // held while stopping: the second caller waits for the first
  // Destroyed from the last to the first: threads, then what they use.
  std::unique_ptr<core::engine::Engine> engine_;
  std::unique_ptr<fuse_layer::Journal> shared_journal_;
  std::unique_ptr<fuse_layer::Journal> pinned_journal_;
  std::unique_ptr<fuse_layer::Triggers> triggers_;
  std::unique_ptr<fuse_layer::SharedTree> shared_tree_;
  std::unique_ptr<fuse_layer::PinnedTree> pinned_tree_;
  std::unique_ptr<fuse_layer::Connection> shared_;
  std::unique_ptr<fuse_layer::Connection> pinned_;
  std::shared_ptr<fuse_layer::Ticker> ticker_;
};

}  // namespace addon
