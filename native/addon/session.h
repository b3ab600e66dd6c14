// SPDX-License-Identifier: Apache-2.0
// The data plane without JavaScript: an engine, and its mounts while there are some.
//
// Source: none.
// Units:  none.
// Errors: those of the engine and of mounting.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "addon/options.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "fuse/connection.h"
#include "fuse/pinned_tree.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"

namespace addon {

class Session {
 public:
  static core::Result<std::unique_ptr<Session>> Open(const SessionOptions& options);
  ~Session() { Stop(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `on_end(errno)` is called from a reader thread when a connection was taken away from outside.
  core::Status Mount(const MountPoints& mount_points, const std::function<void(int)>& on_end);
  // Unmounts and joins every thread. Safe to call twice and from any thread.
  void Stop();

  core::engine::Engine& GetEngine() { return *engine_; }
  // For calls from JavaScript, which has one thread.
  core::engine::Scratch& GetScratch() { return scratch_; }
  [[nodiscard]] int64_t OpenHandles() const {
    return shared_tree_ ? shared_tree_->OpenHandles() : 0;
  }

 private:
  Session(const SessionOptions& options, std::unique_ptr<core::engine::Engine> engine);
  template <typename Tree>
  core::Status Connect(const std::string& mount_point,
                       Tree& tree,
                       std::unique_ptr<fuse_layer::Connection>& connection);
  core::Status Bind(const std::string& source, const std::string& target);
  core::Status MountAll(const MountPoints& mount_points, const std::function<void(int)>& on_end);

  const SessionOptions options_;
  core::engine::Scratch scratch_;
  std::mutex stop_mutex_;             // held while stopping: the second caller waits for the first
  std::vector<std::string> mounted_;  // in the order of mounting
  // Destroyed from the last to the first: threads, then what they use.
  std::unique_ptr<core::engine::Engine> engine_;
  std::unique_ptr<fuse_layer::SharedTree> shared_tree_;
  std::unique_ptr<fuse_layer::PinnedTree> pinned_tree_;
  std::unique_ptr<fuse_layer::Connection> shared_;
  std::unique_ptr<fuse_layer::Connection> pinned_;
  std::unique_ptr<fuse_layer::Ticker> ticker_;
};

}  // namespace addon
