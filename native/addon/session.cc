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
#include "fuse/pinned_tree.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"

namespace addon {
namespace {

using core::Result;
using core::Status;
using core::Unit;
using fuse_layer::Connection;
using fuse_layer::PinnedTree;
using fuse_layer::SharedTree;

// Each page is asked for seldom; and in one order, so that a page is never older than the
// attributes that go with it.
constexpr size_t kPinnedReaders = 1;

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

template <typename Tree>
Status Session::Connect(const std::string& mount_point,
                        Tree& tree,
                        std::unique_ptr<Connection>& connection) {
  auto fd = fuse_layer::MountConnection(mount_point);
  if (!fd) return fd.error();
  mounted_.push_back(mount_point);
  auto opened = fuse_layer::Connect(std::move(*fd), tree);
  if (!opened) return opened.error();
  connection = std::move(*opened);
  return Unit{};
}

Status Session::Bind(const std::string& source, const std::string& target) {
  const Status bound = fuse_layer::BindDirectory(source, target);
  if (bound) mounted_.push_back(target);
  return bound;
}

Status Session::MountAll(const MountPoints& mount_points, const std::function<void(int)>& on_end) {
  shared_tree_ = std::make_unique<SharedTree>(*engine_, options_.handles_max);
  Status shared = Connect(mount_points.shared, *shared_tree_, shared_);
  if (!shared) return shared;
  shared_->Start(options_.readers, on_end);
  pinned_tree_ = std::make_unique<PinnedTree>(*engine_);
  Status pinned = Connect(mount_points.pinned, *pinned_tree_, pinned_);
  if (!pinned) return pinned;
  pinned_->Start(kPinnedReaders, on_end);
  Status proc = Bind(mount_points.shared + "/proc", mount_points.tree_proc);
  if (!proc) return proc;
  return Bind(mount_points.shared + "/sys", mount_points.tree_sys);
}

Status Session::Mount(const MountPoints& mount_points, const std::function<void(int)>& on_end) {
  if (shared_ != nullptr) {
    return core::Error{.errno_value = EALREADY, .operation = "mount", .path = mount_points.shared};
  }
  const Status mounted = MountAll(mount_points, on_end);
  if (mounted) {
    ticker_ = std::make_unique<fuse_layer::Ticker>(*engine_);
  } else {
    Stop();
  }
  return mounted;
}

void Session::Stop() {
  const std::lock_guard lock(stop_mutex_);
  ticker_.reset();
  // Unmounted while there still is somebody to answer: no new reader can come, and those who are
  // inside get their answer before the readers stop.
  for (Connection* const connection : {shared_.get(), pinned_.get()}) {
    if (connection != nullptr) connection->ExpectEnd();
  }
  for (; !mounted_.empty(); mounted_.pop_back()) (void)fuse_layer::Unmount(mounted_.back());
  pinned_.reset();
  shared_.reset();
}

}  // namespace addon
