// SPDX-License-Identifier: Apache-2.0
#include "addon/session.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "addon/options.h"
#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/link.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "core/engine/work_record.h"
#include "fuse/connection.h"
#include "fuse/journal.h"
#include "fuse/pinned_tree.h"
#include "fuse/shared_tree.h"
#include "fuse/ticker.h"
#include "fuse/triggers.h"

namespace addon {
namespace {

using core::Result;
using core::Status;
using core::Unit;
using fuse_layer::Connection;
using fuse_layer::Journal;
using fuse_layer::PinnedTree;
using fuse_layer::SharedTree;
using fuse_layer::Triggers;

// Each page is asked for seldom.
constexpr size_t kPinnedReaders = 1;

constexpr size_t kJournals = 2;

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

// Of all, a quarter at most for pressure triggers. Of the rest, half for cgroups; an eighth for
// callers' pidfds, as much for a file of each, and for the pidfds of namespaces' init processes;
// the rest is for files that are opened for one read. What does not get a descriptor to keep is
// opened each time.
void DivideFds(int64_t allowed, SessionOptions& options) {
  const int64_t for_triggers =
      options.engine.pressure_triggers ? std::min<int64_t>(Triggers::kSlots, allowed / 4) : 0;
  const int64_t free = std::max<int64_t>(0, allowed - kOwnFds - for_triggers);
  options.triggers_max = static_cast<size_t>(for_triggers);
  options.engine.held_fds_max = free / 2;
  options.engine.pidfds_max = static_cast<size_t>(free / 8);
}

}  // namespace

Session::Session(const SessionOptions& options, std::unique_ptr<core::engine::Engine> engine)
    : options_(options), engine_(std::move(engine)) {}

Result<std::unique_ptr<Session>> Session::Open(const SessionOptions& options) {
  SessionOptions adjusted = options;
  DivideFds(RaiseFdLimit(), adjusted);
  auto engine = core::engine::Engine::Open(adjusted.engine, adjusted.policy);
  if (!engine) return engine.error();
  return std::unique_ptr<Session>(new Session(adjusted, std::move(*engine)));
}

// Safe from a process that outlives this one and shares its memory.
bool Session::HasKeeper() const {
  pollfd keeper{.fd = keeper_.load(), .events = POLLIN, .revents = 0};
  if (keeper.fd < 0) return false;
  // A signal that comes meanwhile says nothing of it.
  return poll(&keeper, 1, 0) != 1;
}

void Session::SetKeeper(core::Fd pidfd) {
  const std::lock_guard lock(keepers_mutex_);
  keeper_.store(pidfd.get());
  keepers_.push_back(std::move(pidfd));
}

template <typename Tree>
Status Session::Connect(core::LinkFd fd,
                        Tree& tree,
                        Journal& journal,
                        std::unique_ptr<Connection>& connection) {
  // It closes its own descriptor; the one in `serve_` is kept.
  core::Fd own(fcntl(serve_.fds.at(fd), F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) return core::SystemError("duplicate", "connection");
  auto opened = fuse_layer::Connect(std::move(own),
                                    tree,
                                    journal,
                                    {.wants_rings = options_.wants_rings,
                                     .file_ids = {},
                                     .has_keeper = [this] { return HasKeeper(); }});
  if (!opened) return opened.error();
  connection = std::move(*opened);
  return Unit{};
}

fuse_layer::TransportReport Session::Transport() {
  const std::lock_guard lock(stop_mutex_);
  if (shared_ == nullptr || pinned_ == nullptr) return {};
  fuse_layer::TransportReport report = shared_->Report();
  const fuse_layer::TransportReport pinned = pinned_->Report();
  if (report.why_not.empty() && !pinned.why_not.empty()) {
    report.why_not = "pinned connection: " + pinned.why_not;
  }
  report.forced += pinned.forced;
  return report;
}

// The memory has the connections' journals, and after them what views have counted.
Status Session::OpenMemory() {
  auto shared = Journal::Map(serve_.fds.at(core::kJournalFd), 0);
  if (!shared) return shared.error();
  auto pinned = Journal::Map(serve_.fds.at(core::kJournalFd), 1);
  if (!pinned) return pinned.error();
  shared_journal_ = std::move(*shared);
  pinned_journal_ = std::move(*pinned);
  if (forgives_requests_) {
    shared_journal_->Forgive();
    pinned_journal_->Forgive();
  }
  core::engine::RecordFailures();
  engine_->KeepQuarantine(&shared_journal_->Quarantine(), !forgives_requests_);
  return engine_->KeepCounters(serve_.fds.at(core::kJournalFd), kJournals * Journal::kBytes);
}

// As long as the descriptor is open, the kernel does not forget the file. Those who wait at rings
// keep it too, and may be left over from this process.
void Session::HoldWakeFile() {
  const std::filesystem::path mounts = std::filesystem::path(serve_.shared).parent_path();
  const std::filesystem::path file = mounts / "pinned" / PinnedTree::kWakeFile;
  wake_file_ = core::Fd(open(file.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

Status Session::StartAll(const std::function<void(int)>& on_end) {
  Status is_open = OpenMemory();
  if (!is_open) return is_open;
  triggers_ = std::make_unique<Triggers>(*engine_,
                                         shared_journal_->Triggers().first(options_.triggers_max));
  const bool takes_triggers = options_.engine.pressure_triggers;
  Status restored = takes_triggers ? triggers_->Restore(scratch_) : Status(Unit{});
  if (!restored) return restored;
  shared_tree_ = std::make_unique<SharedTree>(*engine_, options_.handles_max, *triggers_);
  Status shared = Connect(core::kSharedFd, *shared_tree_, *shared_journal_, shared_);
  if (!shared) return shared;
  shared_->Start(options_.readers, on_end);
  if (takes_triggers) {
    triggers_->Start([this](uint64_t poll_handle) { shared_->WakePoller(poll_handle); });
  }
  pinned_tree_ = std::make_unique<PinnedTree>(*engine_);
  Status pinned = Connect(core::kPinnedFd, *pinned_tree_, *pinned_journal_, pinned_);
  if (!pinned) return pinned;
  pinned_->Start(kPinnedReaders, on_end);
  if (options_.wants_rings || pinned_journal_->HasRings()) HoldWakeFile();
  return Unit{};
}

Status Session::Serve(ServeOptions options, const std::function<void(int)>& on_end) {
  if (shared_ != nullptr) {
    return core::Error{.errno_value = EALREADY, .operation = "serve", .path = serve_.tree};
  }
  serve_ = std::move(options);
  ticker_ = std::make_shared<fuse_layer::Ticker>(*engine_);
  engine_->SetCounter([counter = std::weak_ptr(ticker_)] {
    const auto ticker = counter.lock();
    if (ticker != nullptr) ticker->Wake();
  });
  const Status started = StartAll(on_end);
  if (!started) Stop();
  return started;
}

bool Session::HasStuckReader(core::Nanoseconds after) {
  const std::lock_guard lock(stop_mutex_);
  return (shared_ != nullptr && shared_->HasStuckReader(after)) ||
         (pinned_ != nullptr && pinned_->HasStuckReader(after));
}

uint64_t Session::Replays() const {
  return shared_journal_ && pinned_journal_
             ? shared_journal_->Replays() + pinned_journal_->Replays()
             : 0;
}

uint64_t Session::Refusals() const {
  return shared_journal_ && pinned_journal_
             ? shared_journal_->Refusals() + pinned_journal_->Refusals()
             : 0;
}

void Session::Stop() {
  const std::lock_guard lock(stop_mutex_);
  ticker_.reset();
  pinned_.reset();
  if (triggers_ != nullptr) triggers_->Stop();
  shared_.reset();
  wake_file_.reset();
  engine_->ReleaseCounters();
}

}  // namespace addon
