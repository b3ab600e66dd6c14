// SPDX-License-Identifier: Apache-2.0
// From a process, a cgroup's path or a cgroup's id to its view.
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/time_budget.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/descendants.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/counter_memory.h"
#include "core/engine/engine.h"
#include "core/engine/identity_cache.h"
#include "core/engine/quarantine.h"
#include "core/engine/resolver.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/task_tally.h"
#include "core/engine/view.h"
#include "core/engine/work_record.h"

namespace core::engine {
namespace {

// Pid namespaces whose init process is known.
constexpr size_t kCachedTraitsMax = 4096;
// A container's first process is near its root, where nobody has made thousands of cgroups.
constexpr size_t kSearchedMax = 256;
constexpr Nanoseconds kSearchedFor = std::chrono::milliseconds(5);
constexpr size_t kFirstLineBytes = 64;

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

// A process of `dir` or of a cgroup below it, nearest first.
std::optional<pid_t> FindProcess(const cgroup::CgroupDir& dir, FileBuffer& buffer) {
  std::optional<pid_t> found;
  const auto fd = dir.OpenDirectory();
  if (!fd) return found;
  const cgroup::WalkLimit limit{.cgroups_max = kSearchedMax, .budget = TimeBudget(kSearchedFor)};
  (void)cgroup::ForEachDescendant(fd->get(), limit, [&](int child) {
    const auto procs = OpenAt(child, "cgroup.procs");
    if (!procs) return true;
    const auto text =
        ReadBeginning(procs->get(), buffer, "cgroup.procs", kFirstLineBytes, kFirstLineBytes);
    std::string_view lines = text ? *text : std::string_view();
    // 0 is a process that has no number here.
    const auto pid = ParseU64(TakeLine(lines));
    if (pid && *pid != 0) found = static_cast<pid_t>(*pid);
    return !found;
  });
  return found;
}

}  // namespace

Result<ViewRef> Engine::ViewOfPid(pid_t pid, Scratch& scratch) {
  const Nanoseconds now = NowMonotonic();
  if (ViewRef known = identities_.Find(pid, now)) {
    known->used_at.store(now, std::memory_order_relaxed);
    return known;
  }
  if (ViewRef known = identities_.FindUnchanged(pid, scratch.file); known && IsKept(known)) {
    known->used_at.store(now, std::memory_order_relaxed);
    identities_.Renew(pid, now);
    return known;
  }
  // Opened first: what is read below is of the task that the pidfd stands for, or it has ended.
  Fd pidfd = IdentityCache::OpenPidFd(pid);
  const auto traits = resolver_->ReadTraits(pid, scratch.file);
  if (!traits) return CallerError(traits.error());
  auto view = ResolveView(pid, *traits, scratch);
  if (!view) return view;
  (*view)->used_at.store(now, std::memory_order_relaxed);
  identities_.Insert(pid, std::move(pidfd), *traits, *view, now);
  return view;
}

std::optional<CgroupId> Engine::FindOwnId(std::string_view cgroup_text) const {
  const cgroup::CgroupPaths paths = hierarchy_.ParsePaths(cgroup_text);
  for (const cgroup::Controller controller : cgroup::kPrimaryOrder) {
    const std::string& path = paths.Of(controller);
    if (path.size() <= 1 || hierarchy_.VersionOf(controller) == cgroup::Version::kNone) continue;
    const auto inode = cgroup::ReadCgroupId(hierarchy_.RootFd(controller), path);
    if (inode) return CgroupId{.controller = controller, .inode = *inode};
  }
  return std::nullopt;
}

void Engine::KeepQuarantine(QuarantineMemory* memory, bool must_judge) {
  quarantine_.Use(memory, must_judge, NowMonotonic());
}

Status Engine::CheckQuarantine(std::optional<CgroupId> id) const {
  if (!id || !quarantine_.Has(*id, NowMonotonic())) return Unit{};
  const auto path = hierarchy_.PathOf(id->controller, id->inode);
  return Error{.errno_value = kInQuarantine,
               .operation = "look into",
               .path = path ? *path : std::to_string(id->inode)};
}

bool Engine::IsKept(const ViewRef& view) const {
  return !view->is_dropped.load(std::memory_order_relaxed) && view->IsAlive(/*max_age=*/{});
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
  const auto own = FindOwnId(traits.cgroup_text);
  const Status may_look = CheckQuarantine(own);
  if (!may_look) return may_look.error();
  const Work work(quarantine_.Works(), own);
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
  // Any one, as in IdentityCache.
  if (traits_.size() >= std::min(kCachedTraitsMax, options_.pidfds_max)) {
    traits_.erase(traits_.begin());
  }
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
  view->has_own_init = identity.init.has_value();
  if (identity.init) {
    view->init = *identity.init;
  } else {
    const auto oldest = resolver_->Inits().Oldest(
        view->cgroup.Primary().get(), identity.is_host_process, scratch.file);
    if (!oldest) return oldest.error();
    view->init = *oldest;
  }
  const auto id = IdOf(*view);
  const Status may_look = CheckQuarantine(id);
  if (!may_look) return may_look.error();
  view->quarantine = &quarantine_;
  view->tally = id ? tallies_.Of(id->controller, id->inode) : std::make_shared<TaskTally>();
  RestoreCounters(*view);
  // A later process is to find the view even when nothing of it was counted.
  if (!finds_by_id_) {
    const std::lock_guard lock(view->mutex);
    view->SaveCounted();
  }
  view->used_at.store(NowMonotonic(), std::memory_order_relaxed);
  return views_.Insert(std::move(view));
}

Status Engine::KeepCounters(int fd, size_t offset) {
  FileBuffer buffer;
  const auto text = ReadFileAt(host_->SysCpuFd(), "possible", buffer);
  const auto online = host_->OnlineCpus(NowMonotonic(), Nanoseconds{});
  if (!online) return online.error();
  const auto possible = text ? ParseCpuList(*text) : Result<CpuSet>((*online)->record);
  if (!possible) return possible.error();
  uint32_t cpus = 0;
  for (uint32_t cpu = possible->Next(0); cpu < CpuSet::kMaxCpus; cpu = possible->Next(cpu + 1)) {
    cpus = cpu + 1;
  }
  auto memory = CounterMemory::Map(fd, offset, options_.views_max, cpus);
  if (!memory) return memory.error();
  counter_memory_ = std::move(*memory);
  return Unit{};
}

void Engine::ReleaseCounters() {
  if (counter_memory_ != nullptr) counter_memory_->Close();
}

void Engine::RestoreCounters(View& view) {
  if (counter_memory_ == nullptr) return;
  const CgroupId id = IdOf(view).value_or(CgroupId{});
  view.counter_memory = counter_memory_.get();
  view.counter_key = {.inode = id.inode,
                      .starttime = view.init.starttime,
                      .text_hash = std::hash<std::string>()(view.key),
                      .pid = static_cast<uint32_t>(view.init.pid),
                      .controller = static_cast<uint32_t>(id.controller)};
  auto found = counter_memory_->Find(view.counter_key);
  if (found) view.counted = std::move(*found);
}

// As long as a pid namespace's init process lives, so do its container and what it was found by.
ViewRef Engine::FindUnchanged(CgroupId id, Scratch& scratch) {
  ViewRef known = cgroup_ids_.Last(id);
  if (known == nullptr || !known->has_own_init || !IsKept(known)) return nullptr;
  const auto stat = pids_.ReadStat(known->init.pid, scratch.file);
  if (!stat || stat->starttime != known->init.starttime) return nullptr;
  const Nanoseconds now = NowMonotonic();
  known->used_at.store(now, std::memory_order_relaxed);
  cgroup_ids_.Insert(id, known, now);
  return known;
}

Result<ViewRef> Engine::FindByInit(CgroupId id, Scratch& scratch) {
  const Error gone{
      .errno_value = ESTALE, .operation = "find cgroup", .path = std::to_string(id.inode)};
  if (counter_memory_ == nullptr) return gone;
  const auto controller = static_cast<uint32_t>(id.controller);
  for (const auto& init : counter_memory_->FindInits(id.inode, controller)) {
    const auto pid = static_cast<pid_t>(init.pid);
    const auto stat = pids_.ReadStat(pid, scratch.file);
    if (!stat || stat->starttime != init.starttime) continue;
    auto view = ViewOfPid(pid, scratch);
    if (!view || IdOf(**view) != id) continue;
    cgroup_ids_.Insert(id, *view, NowMonotonic());
    return view;
  }
  return gone;
}

std::optional<CgroupId> Engine::FindCgroupId(const std::string& path) const {
  for (const cgroup::Controller controller : cgroup::kPrimaryOrder) {
    if (hierarchy_.VersionOf(controller) == cgroup::Version::kNone) continue;
    const auto inode = cgroup::ReadCgroupId(hierarchy_.RootFd(controller), path);
    if (inode) return CgroupId{.controller = controller, .inode = *inode};
  }
  return std::nullopt;
}

Result<ViewRef> Engine::ViewOfCgroup(std::string_view path, Scratch& scratch) {
  if (!path.starts_with('/')) {
    return Error{.errno_value = EINVAL, .operation = "find cgroup", .path = std::string(path)};
  }
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const auto path_id = FindCgroupId(std::string(path));
  if (!path_id) {
    return Error{.errno_value = ENOENT, .operation = "find cgroup", .path = std::string(path)};
  }
  if (ViewRef known = FindUnchanged(*path_id, scratch)) return known;
  const Status may_look = CheckQuarantine(path_id);
  if (!may_look) return may_look.error();
  const Work work(quarantine_.Works(), path_id);
  auto view = FindViewOfCgroup(path, *path_id, scratch);
  const auto id = view ? IdOf(**view) : std::nullopt;
  if (id) cgroup_ids_.Insert(*id, *view, NowMonotonic());
  return view;
}

Result<ViewRef> Engine::FindViewOfCgroup(std::string_view path, CgroupId id, Scratch& scratch) {
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
  const auto pid = FindProcess(*found, scratch.file);
  if (pid) {
    auto view = ViewOfPid(*pid, scratch);
    // What has made a container's namespaces is a process of the host, and often still there.
    if (view && (*view)->is_host_process) {
      const auto first = resolver_->Inits().Oldest(found.get(), true, scratch.file);
      if (first && first->pid != 1) view = ViewOfPid(first->pid, scratch);
    }
    // Who is about to enter is in some hierarchies only, and its view another cgroup's.
    if (view && IdOf(**view) == id) return view;
  }
  return GetView(identity, scratch);
}

Result<ViewRef> Engine::ViewOfCgroupId(CgroupId id, Scratch& scratch) {
  const Nanoseconds now = NowMonotonic();
  if (ViewRef known = cgroup_ids_.Find(id, now)) {
    known->used_at.store(now, std::memory_order_relaxed);
    return known;
  }
  return CurrentViewOfCgroupId(id, scratch);
}

Result<ViewRef> Engine::CurrentViewOfCgroupId(CgroupId id, Scratch& scratch) {
  if (ViewRef known = FindUnchanged(id, scratch)) return known;
  const Status may_look = CheckQuarantine(id);
  if (!may_look) return may_look.error();
  const auto path = hierarchy_.PathOf(id.controller, id.inode);
  if (!path && !finds_by_id_) {
    if (auto found = FindByInit(id, scratch)) return found;
  }
  if (!path) {
    // Removed: whoever reads its files still gets their last bytes.
    if (ViewRef last = cgroup_ids_.Last(id)) return last;
    return Error{.errno_value = ESTALE, .operation = "find cgroup", .path = path.error().path};
  }
  auto view = ViewOfCgroup(*path, scratch);
  if (!view) return view;
  // Another cgroup may have got the path meanwhile. The view's own id may be of another hierarchy,
  // in which its directory was made later.
  const auto inode = cgroup::ReadCgroupId(hierarchy_.RootFd(id.controller), *path);
  if (!inode || *inode != id.inode) {
    return Error{.errno_value = ESTALE, .operation = "find cgroup", .path = *path};
  }
  cgroup_ids_.Insert(id, *view, NowMonotonic());
  return view;
}

}  // namespace core::engine
