// SPDX-License-Identifier: Apache-2.0
#include "addon/session.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "addon/options.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "fuse/connection.h"
#include "fuse/mount.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"

namespace addon {
namespace {

using core::Result;
using core::Status;
using core::Unit;

// What Node.js and this process have open before anybody reads.
constexpr int64_t kOwnFds = 64;

// The soft limit is raised to the hard one: select(2), for which it is kept low, is not used here.
int64_t RaiseFdLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return kOwnFds;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<int64_t>(std::min<rlim_t>(limit.rlim_cur, INT32_MAX));
}

// Half for cgroups, an eighth for each kind of pidfd; the rest is for files that are opened for one
// read. What does not get a descriptor to keep is opened each time.
void DivideFds(int64_t allowed, core::engine::EngineOptions& options) {
  const int64_t free = std::max<int64_t>(0, allowed - kOwnFds);
  options.held_fds_max = free / 2;
  options.pidfds_max = static_cast<size_t>(free / 8);
}

}  // namespace

Session::Session(const SessionOptions& options, std::unique_ptr<core::engine::Engine> engine)
    : options_(options), engine_(std::move(engine)) {}

Result<std::unique_ptr<Session>> Session::Open(const SessionOptions& options) {
  SessionOptions adjusted = options;
  DivideFds(RaiseFdLimit(), adjusted.engine);
  auto engine = core::engine::Engine::Open(adjusted.engine, adjusted.policy);
  if (!engine) return engine.error();
  return std::unique_ptr<Session>(new Session(adjusted, std::move(*engine)));
}

Status Session::Mount(const std::string& mount_point, std::function<void(int)> on_end) {
  if (connection_ != nullptr) {
    return core::Error{.errno_value = EALREADY, .operation = "mount", .path = mount_point};
  }
  auto fd = fuse_layer::MountConnection(mount_point);
  if (!fd) return fd.error();
  mount_point_ = mount_point;
  tree_ = std::make_unique<fuse_layer::SharedTree>(*engine_, options_.handles_max);
  auto connection =
      fuse_layer::Connection::Open(std::move(*fd), fuse_layer::SharedOperations(), tree_.get());
  if (!connection) {
    (void)fuse_layer::Unmount(mount_point);
    return connection.error();
  }
  connection_ = std::move(*connection);
  connection_->Start(options_.readers, std::move(on_end));
  ticker_ = std::make_unique<fuse_layer::Ticker>(*engine_);
  return Unit{};
}

void Session::Stop() {
  const std::lock_guard lock(stop_mutex_);
  ticker_.reset();
  if (connection_ == nullptr) return;
  // Unmounted while there still is somebody to answer: no new reader can come, and those who are
  // inside get their answer before the readers stop.
  connection_->ExpectEnd();
  (void)fuse_layer::Unmount(mount_point_);
  connection_.reset();
}

}  // namespace addon
