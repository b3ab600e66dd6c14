// SPDX-License-Identifier: Apache-2.0
// The data plane without JavaScript: an engine, and its mount while there is one.
//
// Source: none.
// Units:  none.
// Errors: those of the engine and of mounting.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "addon/options.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/sheet_maker.h"
#include "fuse/connection.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"

namespace addon {

class Session {
 public:
  static core::Result<std::unique_ptr<Session>> Open(const SessionOptions& options);
  ~Session() { Stop(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // `on_end(errno)` is called from a reader thread when the mount was taken away from outside.
  core::Status Mount(const std::string& mount_point, std::function<void(int)> on_end);
  // Unmounts and joins every thread. Safe to call twice and from any thread.
  void Stop();

  core::engine::Engine& GetEngine() { return *engine_; }
  // For calls from JavaScript, which has one thread.
  core::engine::Scratch& GetScratch() { return scratch_; }
  [[nodiscard]] int64_t OpenHandles() const { return tree_ ? tree_->OpenHandles() : 0; }

 private:
  Session(const SessionOptions& options, std::unique_ptr<core::engine::Engine> engine);

  const SessionOptions options_;
  core::engine::Scratch scratch_;
  std::mutex stop_mutex_;  // held while stopping: the second caller waits for the first
  std::string mount_point_;
  // Destroyed from the last to the first: threads, then what they use.
  std::unique_ptr<core::engine::Engine> engine_;
  std::unique_ptr<fuse_layer::SharedTree> tree_;
  std::unique_ptr<fuse_layer::Connection> connection_;
  std::unique_ptr<fuse_layer::Ticker> ticker_;
};

}  // namespace addon
