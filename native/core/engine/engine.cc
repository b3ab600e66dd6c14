// SPDX-License-Identifier: Apache-2.0
#include "core/engine/engine.h"

#include <sys/personality.h>
#include <sys/types.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/write_text.h"
#include "core/catalog/catalog.h"
#include "core/catalog/page_size.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/dir_table.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/fallbacks.h"
#include "core/engine/host_files.h"
#include "core/engine/identity_cache.h"
#include "core/engine/moment.h"
#include "core/engine/options.h"
#include "core/engine/policy_rules.h"
#include "core/engine/read_stats.h"
#include "core/engine/resolver.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/view.h"
#include "core/engine/work_record.h"
#include "core/model/visible_cpus.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/pid.h"
#include "core/proc/stat.h"
#include "core/render/sheet.h"

namespace core::engine {
namespace {

// Of files that tell of other tenants.
constexpr mode_t kSecretMode = 0400;

// The snapshot slot of cpuinfo as 32-bit programs are shown it.
constexpr size_t kCpuInfo32Slot = View::kSlots - 1;

// Whether the text depends on the time namespace of its reader.
bool TellsBoot(size_t file) {
  return catalog::Files()[file].needs.Has(catalog::Need::kHostStat);
}

// `whole`, or what it says in a time namespace.
SnapshotRef ShiftBoot(SnapshotRef whole, int64_t offset_sec) {
  if (offset_sec == 0) return whole;
  return std::make_shared<Snapshot>(Snapshot{.bytes = proc::ShiftBoot(whole->bytes, offset_sec),
                                             .made_at = whole->made_at,
                                             .is_hosts = whole->is_hosts});
}

}  // namespace

Engine::Engine(const EngineOptions& options,
               proc::PidReader pids,
               cgroup::Hierarchy hierarchy,
               std::unique_ptr<HostFiles> host)
    : options_(options),
      pids_(std::move(pids)),
      times_(pids_),
      hierarchy_(std::move(hierarchy)),
      finds_by_id_(hierarchy_.FindsById()),
      host_(std::move(host)),
      loads_(pids_),
      sheets_(*host_, loads_),
      sys_(host_->SysCpuFd()),
      dirs_(options.held_fds_max),
      views_(options.views_max),
      identities_(pids_, options.pidfds_max) {
  loads_.SetCountCpus([this](View& view, Moment now, FileBuffer& buffer) {
    const auto cpus = sheets_.ReadVisibleCpus(view, *PolicyOf(view), now, buffer);
    return cpus ? uint64_t{cpus->count} : 0;
  });
}

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
  engine->LookAtHost();
  engine->SetPolicy(policy);
  return engine;
}

// What depends on the host only: which files there are, and how large they may be.
void Engine::LookAtHost() {
  const auto files = catalog::Files();
  FileBuffer buffer;
  catalog::HostLayout layout;
  const auto online = host_->OnlineCpus(NowMonotonic(), Nanoseconds{});
  if (online) layout.online_cpus = (*online)->record.Count();
  for (size_t file = 0; file < files.size(); ++file) {
    available_[file] = host_->Has(files[file].path);
    if (files[file].mode == kSecretMode) continue;
    const auto text = host_->ReadRaw(files[file].path, buffer);
    if (!text) continue;
    host_text_sizes_[file] = text->size();
    if (files[file].path != "proc/meminfo") continue;
    layout.meminfo_bytes = text->size();
    layout.meminfo_lines = static_cast<size_t>(std::ranges::count(*text, '\n'));
  }
  for (size_t file = 0; file < files.size(); ++file) {
    if (!available_[file] || files[file].consistency != catalog::Consistency::kPage) continue;
    // The page cache asks nobody, and takes no trigger.
    if (TakesTriggers(file)) continue;
    const size_t size = files[file].page_size(layout);
    page_sizes_[file] = size <= catalog::kPageBytes ? size : 0;
  }
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
    policy_generation_.fetch_add(1, std::memory_order_release);
  }
  ForgetTexts();
}

void Engine::SetPolicyRules(std::vector<PolicyRule> rules) {
  {
    const std::lock_guard lock(policy_mutex_);
    policy_rules_ = std::move(rules);
    policy_generation_.fetch_add(1, std::memory_order_release);
  }
  ForgetTexts();
}

void Engine::ForgetTexts() {
  for (const ViewRef& view : views_.All()) view->DropTexts();
}

std::shared_ptr<const Policy> Engine::PolicyOf(View& view) const {
  const std::lock_guard view_lock(view.policy_mutex);
  if (view.policy_generation == policy_generation_.load(std::memory_order_acquire)) {
    return view.policy;
  }
  const auto& primary = view.cgroup.Primary();
  const std::lock_guard lock(policy_mutex_);
  view.policy = ApplyRules(policy_, policy_rules_, primary == nullptr ? "/" : primary->Path());
  view.policy_generation = policy_generation_.load(std::memory_order_relaxed);
  return view.policy;
}

std::shared_ptr<const Policy> Engine::GetPolicy() const {
  const std::lock_guard lock(policy_mutex_);
  return policy_;
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
  const Nanoseconds begin = NowMonotonic();
  Outcome outcome = Outcome::kError;
  auto snapshot = caller ? ReadSnapshot(file, *caller, pid, scratch, outcome)
                         : Result<SnapshotRef>(caller.error());
  if (!snapshot) {
    snapshot = ReadFallback(file, snapshot.error(), scratch);
    outcome = snapshot ? Outcome::kFallback : Outcome::kError;
  }
  if (snapshot && TellsBoot(file)) {
    snapshot = ShiftBoot(std::move(*snapshot), times_.OffsetOf(pid, scratch.file));
  }
  read_stats_.Add(file, outcome, NowMonotonic() - begin);
  return snapshot;
}

Result<SnapshotRef> Engine::ReadView(size_t file,
                                     const ViewRef& view,
                                     pid_t pid,
                                     Scratch& scratch) {
  return ReadInTime(file, view, pid, &proc::TimeNamespaces::OffsetOf, scratch);
}

Result<SnapshotRef> Engine::ReadInTime(
    size_t file, const ViewRef& view, pid_t pid, OffsetOf offset_of, Scratch& scratch) {
  const Nanoseconds begin = NowMonotonic();
  Outcome outcome = Outcome::kError;
  auto snapshot = ReadSnapshot(file, view, pid, scratch, outcome);
  if (snapshot && TellsBoot(file)) {
    snapshot = ShiftBoot(std::move(*snapshot), (times_.*offset_of)(pid, scratch.file));
  }
  read_stats_.Add(file, outcome, NowMonotonic() - begin);
  return snapshot;
}

Result<SnapshotRef> Engine::ReadSnapshot(
    size_t file, const ViewRef& view, pid_t pid, Scratch& scratch, Outcome& outcome) {
  const bool is_32bit = proc::kHas32BitText &&
                        catalog::Files()[file].needs.Has(catalog::Need::kHostCpuInfo) &&
                        IsCaller32Bit(pid, scratch);
  view->reads.fetch_add(1, std::memory_order_relaxed);
  const auto policy = PolicyOf(*view);
  auto& slot = view->snapshots.At(is_32bit ? kCpuInfo32Slot : file);
  const Nanoseconds now = NowMonotonic();
  outcome = Outcome::kCached;
  auto snapshot = slot.Get(
      now,
      policy->freshness,
      [&](Snapshot& into) {
        into.made_at = now;
        outcome = Outcome::kRendered;
        return Render(file, view, *policy, is_32bit, scratch, into);
      },
      scratch.before_delay);
  if (snapshot) {
    if (outcome == Outcome::kCached) view->hits.fetch_add(1, std::memory_order_relaxed);
    return snapshot;
  }
  outcome = Outcome::kError;
  if (CauseOf(snapshot.error()) == FallbackCause::kCgroupGone && !view->cgroup.IsAlive()) {
    views_.Remove(view);
    if (auto last = slot.Last()) {
      fallbacks_.Add(file, FallbackCause::kCgroupGone, snapshot.error());
      outcome = Outcome::kFallback;
      return last;
    }
  }
  return snapshot;
}

Status Engine::Render(size_t file,
                      const ViewRef& view,
                      const Policy& policy,
                      bool is_32bit,
                      Scratch& scratch,
                      Snapshot& into) {
  const Work work(quarantine_.Works(), IdOf(*view));
  const catalog::FileEntry& entry = catalog::Files()[file];
  counters_.renders.fetch_add(1, std::memory_order_relaxed);
  into.bytes.clear();
  const bool is_off = !policy.files.test(file) && entry.mode != kSecretMode;
  bool is_hosts = is_off || SheetMaker::IsHosts(*view, entry.needs, policy);
  if (!is_hosts) {
    const auto is_own = sheets_.Make(*view, entry.needs, policy, is_32bit, Now(), scratch);
    if (!is_own) return is_own.error();
    is_hosts = !*is_own;
    if (!is_hosts && scratch.sheet.tasks.is_estimate) NoteEstimate(file, *view);
  }
  into.is_hosts = is_hosts;
  if (!is_hosts) {
    scratch.text.clear();
    TextWriter out(scratch.text);
    entry.render(scratch.sheet, out);
    // A copy is as long as the text, not as what it grew to: a thousand views have one each.
    into.bytes.assign(scratch.text);
    return Unit{};
  }
  const auto text = host_->ReadRaw(entry.path, scratch.file);
  if (!text) return text.error();
  into.bytes.assign(*text);
  return Unit{};
}

void Engine::NoteEstimate(size_t file, const View& view) {
  fallbacks_.Add(
      file,
      FallbackCause::kTasksEstimated,
      Error{
          .errno_value = ETIME, .operation = "count tasks", .path = view.cgroup.Primary()->Path()});
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
  const auto policy = view ? PolicyOf(**view) : GetPolicy();
  if (!policy->files.test(kSysFile)) return OnlineCpus();
  const Work work(quarantine_.Works(), view ? IdOf(**view) : std::nullopt);
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
  const Nanoseconds begin = NowMonotonic();
  if (view) (*view)->reads.fetch_add(1, std::memory_order_relaxed);
  auto snapshot = ReadSysNow(path, view, scratch);
  read_stats_.Add(
      kSysFile, snapshot ? Outcome::kRendered : Outcome::kError, NowMonotonic() - begin);
  return snapshot;
}

Result<SnapshotRef> Engine::ReadSysNow(const std::string& path,
                                       const Result<ViewRef>& view,
                                       Scratch& scratch) {
  const auto cpus = VisibleCpusOf(view, scratch);
  if (!cpus) return cpus.error();
  if (!sys_.IsVisible(path, *cpus)) {
    return Error{.errno_value = ENOENT, .operation = "read", .path = path};
  }
  counters_.renders.fetch_add(1, std::memory_order_relaxed);
  auto snapshot = std::make_shared<Snapshot>();
  const auto status = sys_.Read(path, *cpus, scratch.file, snapshot->bytes);
  if (!status) return status.error();
  return SnapshotRef(std::move(snapshot));
}

}  // namespace core::engine
