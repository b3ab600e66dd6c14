// SPDX-License-Identifier: Apache-2.0
#include "core/engine/engine.h"

#include <sys/personality.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/erase_if.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/write_text.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/dir_table.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/fallbacks.h"
#include "core/engine/host_files.h"
#include "core/engine/identity_cache.h"
#include "core/engine/options.h"
#include "core/engine/resolver.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/pid.h"
#include "core/render/sheet.h"

namespace core::engine {
namespace {

using cgroup::CgroupPaths;

// Processes that read in the last 100 ms, and pid namespaces whose init process is known.
constexpr size_t kCachedPidsMax = 1024;
constexpr size_t kCachedTraitsMax = 4096;

// loadavg and stat are sampled for a view until nobody has asked for this long.
constexpr Nanoseconds kSampledFor = std::chrono::minutes(15);
// An unused view's snapshots are given back after this; its counters stay.
constexpr Nanoseconds kSnapshotsKeptFor = std::chrono::seconds(30);

// Of files that tell of other tenants.
constexpr mode_t kSecretMode = 0400;

// The snapshot slot of cpuinfo as 32-bit programs are shown it.
constexpr size_t kCpuInfo32Slot = View::kSlots - 1;

std::string KeyOf(const Identity& identity) {
  std::string key;
  for (const cgroup::Controller controller : cgroup::kControllers) {
    key.append(identity.root.Of(controller)).push_back('\n');
  }
  if (identity.init) {
    return key.append(std::to_string(identity.init->pid))
        .append("@")
        .append(std::to_string(identity.init->starttime));
  }
  return key.append(identity.is_host_process ? "host" : "own");
}

// What is missing below /proc/<pid> is the process, not its cgroup.
Error CallerError(Error error) {
  if (error.errno_value == ENOENT) error.errno_value = ESRCH;
  return error;
}

}  // namespace

Engine::Engine(const EngineOptions& options,
               proc::PidReader pids,
               cgroup::Hierarchy hierarchy,
               std::unique_ptr<HostFiles> host)
    : options_(options),
      pids_(std::move(pids)),
      hierarchy_(std::move(hierarchy)),
      host_(std::move(host)),
      sheets_(*host_, pids_),
      sys_(host_->SysCpuFd()),
      dirs_(options.held_fds_max),
      views_(options.views_max),
      identities_(std::min(kCachedPidsMax, options.pidfds_max)) {}

Result<std::unique_ptr<Engine>> Engine::Open(const EngineOptions& options, const Policy& policy) {
  auto pids = proc::PidReader::Open(options.proc_root);
  if (!pids) return pids.error();
  auto hierarchy = cgroup::Hierarchy::Detect(options.cgroup_root);
  if (!hierarchy) return hierarchy.error();
  auto host = HostFiles::Open(options.proc_root, options.sys_root);
  if (!host) return host.error();
  std::unique_ptr<Engine> engine(
      new Engine(options, std::move(*pids), std::move(*hierarchy), std::move(*host)));
  auto resolver = Resolver::Open(engine->pids_, engine->hierarchy_);
  if (!resolver) return resolver.error();
  engine->resolver_ = std::move(*resolver);
  const auto files = catalog::Files();
  FileBuffer buffer;
  for (size_t file = 0; file < files.size(); ++file) {
    engine->available_[file] = engine->host_->Has(files[file].path);
    if (files[file].mode == kSecretMode) continue;
    const auto text = engine->host_->ReadRaw(files[file].path, buffer);
    engine->host_text_sizes_[file] = text ? text->size() : 0;
  }
  engine->SetPolicy(policy);
  return engine;
}

Moment Engine::Now() const {
  return Moment{.boottime = options_.boottime ? *options_.boottime : NowBoottime(),
                .monotonic = NowMonotonic()};
}

void Engine::SetPolicy(const Policy& policy) {
  auto next = std::make_shared<const Policy>(policy);
  {
    const std::lock_guard lock(policy_mutex_);
    policy_ = std::move(next);
  }
  for (const ViewRef& view : views_.All()) {
    for (auto& snapshot : view->snapshots) snapshot.Drop();
  }
}

std::shared_ptr<const Policy> Engine::GetPolicy() const {
  const std::lock_guard lock(policy_mutex_);
  return policy_;
}

Result<ViewRef> Engine::ViewOfPid(pid_t pid, Scratch& scratch) {
  const Nanoseconds now = NowMonotonic();
  if (ViewRef known = identities_.Find(pid, now)) {
    known->used_at.store(now, std::memory_order_relaxed);
    return known;
  }
  // Opened first: what is read below is of the task that the pidfd stands for, or it has ended.
  Fd pidfd = IdentityCache::OpenPidFd(pid);
  const auto traits = resolver_->ReadTraits(pid, scratch.file);
  if (!traits) return CallerError(traits.error());
  auto view = ResolveView(pid, *traits, scratch);
  if (!view) return view;
  (*view)->used_at.store(now, std::memory_order_relaxed);
  identities_.Insert(pid, std::move(pidfd), *view, now);
  return view;
}

ViewRef Engine::FindByTraits(const std::string& key) {
  std::shared_ptr<const KnownTraits> known;
  {
    const std::lock_guard lock(traits_mutex_);
    const auto found = traits_.find(key);
    if (found == traits_.end()) return nullptr;
    known = found->second;
  }
  ViewRef view = known->view.lock();
  if (view == nullptr || IdentityCache::HasEnded(known->init_pidfd)) return nullptr;
  return view->cgroup.IsAlive() ? view : nullptr;
}

Result<ViewRef> Engine::ResolveView(pid_t pid, const CallerTraits& traits, Scratch& scratch) {
  std::string key = traits.Key();
  if (ViewRef known = FindByTraits(key)) return known;
  counters_.resolves.fetch_add(1, std::memory_order_relaxed);
  const auto identity = resolver_->Resolve(pid, traits, scratch.file);
  if (!identity) return identity.error();
  auto view = GetView(*identity, scratch);
  const std::optional<InitProcess>& init = identity->init;
  if (!view || !init) return view;
  Fd init_pidfd = IdentityCache::OpenPidFd(init->pid);
  const auto stat = pids_.ReadStat(init->pid, scratch.file);
  // The pidfd may be of a process that came after; the start time says so.
  if (!init_pidfd.valid() || !stat || stat->starttime != init->starttime) return view;
  auto known = std::make_shared<const KnownTraits>(
      KnownTraits{.init_pidfd = std::move(init_pidfd), .view = *view});
  const std::lock_guard lock(traits_mutex_);
  if (traits_.size() >= std::min(kCachedTraitsMax, options_.pidfds_max)) traits_.clear();
  traits_.insert_or_assign(std::move(key), std::move(known));
  return view;
}

Result<ViewRef> Engine::GetView(const Identity& identity, Scratch& scratch) {
  std::string key = KeyOf(identity);
  if (ViewRef known = views_.Find(key)) {
    if (known->cgroup.IsAlive()) return known;
    views_.Remove(known);
  }
  return MakeView(identity, std::move(key), scratch);
}

Result<ViewRef> Engine::MakeView(const Identity& identity, std::string key, Scratch& scratch) {
  auto cgroup = cgroup::Cgroup::Open(hierarchy_, identity.root, dirs_);
  if (!cgroup) return cgroup.error();
  auto view = std::make_shared<View>();
  view->serial = next_serial_.fetch_add(1, std::memory_order_relaxed);
  view->key = std::move(key);
  view->cgroup = std::move(*cgroup);
  view->is_host_process = identity.is_host_process;
  if (identity.init) {
    view->init = *identity.init;
  } else {
    const auto oldest =
        resolver_->FindOldest(view->cgroup.Primary().get(), identity.is_host_process, scratch.file);
    if (!oldest) return oldest.error();
    view->init = *oldest;
  }
  view->used_at.store(NowMonotonic(), std::memory_order_relaxed);
  return views_.Insert(std::move(view));
}

Result<ViewRef> Engine::ViewOfCgroup(std::string_view path, Scratch& scratch) {
  if (!path.starts_with('/')) {
    return Error{.errno_value = EINVAL, .operation = "find cgroup", .path = std::string(path)};
  }
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  Identity identity{.root = {}, .init = std::nullopt, .is_host_process = true};
  std::shared_ptr<cgroup::CgroupDir> found;
  for (const cgroup::Controller controller : cgroup::kControllers) {
    if (hierarchy_.VersionOf(controller) == cgroup::Version::kNone) continue;
    auto dir = dirs_.Open(hierarchy_, controller, path);
    // A container manager need not make the cgroup in every v1 hierarchy.
    identity.root.Set(controller, dir ? path : "/");
    if (dir && found == nullptr) found = std::move(*dir);
  }
  if (found == nullptr) {
    return Error{.errno_value = ENOENT, .operation = "find cgroup", .path = std::string(path)};
  }
  // As a process in it has it, when that process's container root is this cgroup.
  const auto procs = found->ReadByName("cgroup.procs", scratch.file);
  std::string_view lines = procs ? *procs : std::string_view();
  const auto pid = ParseU64(TakeLine(lines));
  if (pid) {
    auto view = ViewOfPid(static_cast<pid_t>(*pid), scratch);
    if (view && (*view)->cgroup.Primary() != nullptr && (*view)->cgroup.Primary()->Path() == path) {
      return view;
    }
  }
  return GetView(identity, scratch);
}

bool Engine::IsCaller32Bit(pid_t pid, Scratch& scratch) const {
  const auto text = pids_.ReadText(pid, "personality", scratch.file);
  // Not readable (a kernel without it, a stricter ptrace policy): an ordinary program.
  const auto flags = text ? proc::ParsePersonality(*text) : std::nullopt;
  return flags && (*flags & PER_MASK) == PER_LINUX32;
}

Result<SnapshotRef> Engine::Read(size_t file,
                                 const Result<ViewRef>& caller,
                                 pid_t pid,
                                 Scratch& scratch) {
  counters_.reads.fetch_add(1, std::memory_order_relaxed);
  if (!caller) return ReadFallback(file, caller.error(), scratch);
  const ViewRef& view = *caller;
  const bool is_32bit =
      catalog::Files()[file].needs.Has(catalog::Need::kHostCpuInfo) && IsCaller32Bit(pid, scratch);
  const auto policy = GetPolicy();
  auto& slot = view->snapshots[is_32bit ? kCpuInfo32Slot : file];
  auto snapshot = slot.Get(NowMonotonic(), policy->freshness, [&](Snapshot& into) {
    return Render(file, view, *policy, is_32bit, scratch, into);
  });
  if (snapshot) return snapshot;
  if (CauseOf(snapshot.error()) == FallbackCause::kCgroupGone && !view->cgroup.IsAlive()) {
    views_.Remove(view);
    if (auto last = slot.Last()) {
      fallbacks_.Add(file, FallbackCause::kCgroupGone, snapshot.error());
      return last;
    }
  }
  return ReadFallback(file, snapshot.error(), scratch);
}

Status Engine::Render(size_t file,
                      const ViewRef& view,
                      const Policy& policy,
                      bool is_32bit,
                      Scratch& scratch,
                      Snapshot& into) {
  const catalog::FileEntry& entry = catalog::Files()[file];
  counters_.renders.fetch_add(1, std::memory_order_relaxed);
  into.bytes.clear();
  bool is_hosts = SheetMaker::IsHosts(*view, entry.needs, policy);
  if (!is_hosts) {
    const auto is_own = sheets_.Make(*view, entry.needs, policy, is_32bit, Now(), scratch);
    if (!is_own) return is_own.error();
    is_hosts = !*is_own;
  }
  if (!is_hosts) {
    TextWriter out(into.bytes);
    entry.render(scratch.sheet, out);
    return Unit{};
  }
  const auto text = host_->ReadRaw(entry.path, scratch.file);
  if (!text) return text.error();
  into.bytes.assign(*text);
  return Unit{};
}

Result<SnapshotRef> Engine::ReadFallback(size_t file, const Error& error, Scratch& scratch) {
  fallbacks_.Add(file, CauseOf(error), error);
  if (GetPolicy()->on_failure == OnFailure::kError) {
    return Error{.errno_value = EIO, .operation = error.operation, .path = error.path};
  }
  // There is no host text that a container may see.
  const catalog::FileEntry& entry = catalog::Files()[file];
  auto snapshot = std::make_shared<Snapshot>();
  if (entry.mode == kSecretMode) {
    TextWriter out(snapshot->bytes);
    entry.render(render::Sheet{}, out);
    return SnapshotRef(std::move(snapshot));
  }
  const auto text = host_->ReadRaw(entry.path, scratch.file);
  if (!text) return text.error();
  snapshot->bytes.assign(*text);
  return SnapshotRef(std::move(snapshot));
}

Result<model::VisibleCpus> Engine::VisibleCpusOf(const Result<ViewRef>& view, Scratch& scratch) {
  const auto policy = GetPolicy();
  auto cpus = view ? sheets_.ReadVisibleCpus(**view, *policy, Now(), scratch.file)
                   : Result<model::VisibleCpus>(view.error());
  if (cpus) return cpus;
  fallbacks_.Add(kSysFile, CauseOf(cpus.error()), cpus.error());
  if (policy->on_failure == OnFailure::kError) {
    return Error{.errno_value = EIO, .operation = "read", .path = "cpuset"};
  }
  return OnlineCpus();
}

Result<model::VisibleCpus> Engine::OnlineCpus() {
  const auto policy = GetPolicy();
  const auto online = host_->OnlineCpus(NowMonotonic(), policy->freshness);
  if (!online) return online.error();
  const CpuSet& all = (*online)->record;
  return model::DeriveVisibleCpus(all, all, std::nullopt, policy->cpu);
}

Result<SnapshotRef> Engine::ReadSys(const std::string& path,
                                    const Result<ViewRef>& view,
                                    Scratch& scratch) {
  counters_.reads.fetch_add(1, std::memory_order_relaxed);
  const auto cpus = VisibleCpusOf(view, scratch);
  if (!cpus) return cpus.error();
  if (!SysTree::IsVisible(path, *cpus)) {
    return Error{.errno_value = ENOENT, .operation = "read", .path = path};
  }
  counters_.renders.fetch_add(1, std::memory_order_relaxed);
  auto snapshot = std::make_shared<Snapshot>();
  const auto status = sys_.Read(path, *cpus, scratch.file, snapshot->bytes);
  if (!status) return status.error();
  return SnapshotRef(std::move(snapshot));
}

void Engine::Tick(Scratch& scratch) {
  const auto policy = GetPolicy();
  for (const ViewRef& view : views_.All()) {
    const Moment now = Now();
    const Nanoseconds wanted_at = view->load_wanted_at.load(std::memory_order_relaxed);
    if (wanted_at != Nanoseconds{} && now.monotonic - wanted_at < kSampledFor) {
      const auto status = sheets_.SampleLoad(*view, *policy, now, scratch.file);
      if (!status && !view->cgroup.IsAlive()) views_.Remove(view);
    }
    if (now.monotonic - view->used_at.load(std::memory_order_relaxed) <= kSnapshotsKeptFor) {
      continue;
    }
    for (auto& snapshot : view->snapshots) snapshot.Drop();
    if (!view->cgroup.IsAlive()) views_.Remove(view);
  }
  identities_.DropOld(NowMonotonic());
  const std::lock_guard lock(traits_mutex_);
  EraseIf(traits_,
          [](const auto& known) { return IdentityCache::HasEnded(known.second->init_pidfd); });
}

}  // namespace core::engine
