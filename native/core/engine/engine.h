// SPDX-License-Identifier: Apache-2.0
// From (caller, file) to bytes.
//
// Source: everything below native/core.
// Units:  as the names say.
// Errors: EIO-worthy errors only when the policy says so or the host's file cannot be read either.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/fd.h"
#include "core/base/read_file.h"
#include "core/base/read_log.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/dir_table.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/counter_memory.h"
#include "core/engine/explanation.h"
#include "core/engine/fallbacks.h"
#include "core/engine/host_files.h"
#include "core/engine/identity_cache.h"
#include "core/engine/load_sampler.h"
#include "core/engine/moment.h"
#include "core/engine/options.h"
#include "core/engine/policy_rules.h"
#include "core/engine/quarantine.h"
#include "core/engine/read_stats.h"
#include "core/engine/resolver.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/sys_tree.h"
#include "core/engine/task_tally.h"
#include "core/engine/view.h"
#include "core/engine/view_report.h"
#include "core/engine/view_table.h"
#include "core/model/visible_cpus.h"
#include "core/proc/pid.h"
#include "core/proc/time_namespace.h"

namespace core::engine {

// Counts since start.
struct Counters {
  std::atomic<uint64_t> renders{0};   // snapshots made
  std::atomic<uint64_t> resolves{0};  // pids that were resolved to a view by reading /proc
};

// Safe from any thread; each thread brings a Scratch of its own.
class Engine {
 public:
  // `max_files` of Fallbacks: one counter for all of sysfs that is not in the catalog.
  static constexpr size_t kSysFile = Fallbacks::kMaxFiles - 1;

  static Result<std::unique_ptr<Engine>> Open(const EngineOptions& options, const Policy& policy);

  // Goes on with what another process has counted, as CounterMemory::Map() finds it. To be called
  // before there are views.
  Status KeepCounters(int fd, size_t offset);
  // Another process is about to go on with them.
  void ReleaseCounters();

  // As Quarantine::Use(). To be called before there are readers.
  void KeepQuarantine(QuarantineMemory* memory, bool must_judge);
  // A cgroup in quarantine, after so many deaths of workers in a row.
  struct LeftAlone {
    std::string cgroup;
    size_t slot = 0;
    uint64_t deaths = 0;
    uint64_t left_sec = 0;
  };
  [[nodiscard]] std::vector<LeftAlone> ListQuarantine() const;

  void SetPolicy(const Policy& policy);
  // Replaces all rules there were.
  void SetPolicyRules(std::vector<PolicyRule> rules);
  [[nodiscard]] std::shared_ptr<const Policy> GetPolicy() const;
  // The policy with what the rules change for `view`.
  [[nodiscard]] std::shared_ptr<const Policy> PolicyOf(View& view) const;

  // The view of the process or thread `pid`.
  Result<ViewRef> ViewOfPid(pid_t pid, Scratch& scratch);
  // The view that `pid`, alive still, was last resolved to; null when nobody knows. For who goes on
  // with what it has begun: a process that was moved since then finishes what it was given before.
  [[nodiscard]] ViewRef EarlierViewOfPid(pid_t pid) { return identities_.FindEarlier(pid); }
  // The view of a cgroup, as its processes have it: `path` is absolute in every hierarchy.
  Result<ViewRef> ViewOfCgroup(std::string_view path, Scratch& scratch);
  // The same for a cgroup's id. ESTALE when the cgroup is gone and nothing of it is kept.
  Result<ViewRef> ViewOfCgroupId(CgroupId id, Scratch& scratch);
  // The same, with the first process that the cgroup has now: for a container that is about to get
  // the view's files.
  Result<ViewRef> CurrentViewOfCgroupId(CgroupId id, Scratch& scratch);
  // The id of the cgroup that has `path` now, as IdOf() gives it for a view of it.
  [[nodiscard]] std::optional<CgroupId> FindCgroupId(const std::string& path) const;
  // The views that are known now.
  [[nodiscard]] std::vector<ViewRef> Views() const { return views_.All(); }

  // The bytes of the catalog's `file` for a reader `pid` with `view`; when there is no view, what
  // the policy says.
  Result<SnapshotRef> Read(size_t file, const Result<ViewRef>& view, pid_t pid, Scratch& scratch);
  // The same of a known view: its last bytes when its cgroup is gone, never the host's for want of
  // something better.
  Result<SnapshotRef> ReadView(size_t file, const ViewRef& view, pid_t pid, Scratch& scratch);
  // For the page cache: the bytes and since when they are these. When they cannot be made, the last
  // ones there were.
  Result<Page> ReadPage(size_t file, const ViewRef& view, Scratch& scratch);
  // What ReadPage() gave last, and so what the page cache takes for the file's; made when there was
  // none.
  Result<Page> LastPage(size_t file, const ViewRef& view, Scratch& scratch);
  // In the place of both when `error` keeps the view from being made: the answer of `on_failure`.
  Result<Page> FallbackPage(size_t file, const Error& error, Scratch& scratch);
  // A file below sys/devices/system/cpu that is not in the catalog.
  Result<SnapshotRef> ReadSys(const std::string& path,
                              const Result<ViewRef>& view,
                              Scratch& scratch);
  // The CPUs a reader with `view` sees; when there is no view, what the policy says.
  Result<model::VisibleCpus> VisibleCpusOf(const Result<ViewRef>& view, Scratch& scratch);
  Result<model::VisibleCpus> OnlineCpus();
  [[nodiscard]] const SysTree& Sys() const { return sys_; }
  // Whether the host has the catalog's `file`; what it lacks no container has.
  [[nodiscard]] bool IsAvailable(size_t file) const { return available_[file]; }
  // The length of the host's own text of the catalog's `file` when the engine was opened; 0 for
  // files whose text is never the host's.
  [[nodiscard]] size_t HostTextSize(size_t file) const { return host_text_sizes_[file]; }
  // The size of the catalog's `file` in the page cache; 0 for a file that has no place there: it is
  // not on this host, or may be larger than a page.
  [[nodiscard]] size_t PageSize(size_t file) const { return page_sizes_[file]; }

  [[nodiscard]] bool TakesAnyTriggers() const { return options_.pressure_triggers; }
  // Whether programs may write pressure triggers into the catalog's `file`.
  [[nodiscard]] bool TakesTriggers(size_t file) const;
  // The kernel's own file that the pressure file `file` shows to readers with `view`, for writing.
  [[nodiscard]] Result<Fd> OpenPressure(size_t file, const View& view) const;

  // What the container of `view` may use and uses now.
  ViewReport Report(const ViewRef& view, Scratch& scratch);
  // How many tasks each view was read by in the last 100 ms.
  [[nodiscard]] std::unordered_map<const View*, size_t> CountReaders() const {
    return identities_.CountReaders(NowMonotonic());
  }
  // The bytes of the catalog's `file` for a reader with `view`, made now, and all they are made of.
  // `scratch` is one that nothing else was read with.
  Result<Explanation> Explain(size_t file, const ViewRef& view, Scratch& scratch);

  // Readers call `wake()` to have another thread call CountWanted(). To be set before there are
  // readers.
  void SetCounter(std::function<void()> wake) { loads_.SetWake(std::move(wake)); }
  // Counts the tasks of one view whose readers want it; false when there is none.
  bool CountWanted(Scratch& scratch) { return loads_.CountWanted(scratch.file); }
  // One tick of the load sampler, to be called every 5 s; also lets go of what idle views hold.
  void Tick(Scratch& scratch);

  [[nodiscard]] const cgroup::Hierarchy& GetHierarchy() const { return hierarchy_; }
  // Whether a cgroup is found from its id alone; where not, views of an earlier process are found
  // by their first processes, and others by their paths.
  [[nodiscard]] bool FindsById() const { return finds_by_id_; }
  [[nodiscard]] const Counters& GetCounters() const { return counters_; }
  // How often an ancestor's memory was read, for all views below it together.
  [[nodiscard]] uint64_t MemoryLevelReads() const { return sheets_.LevelReads(); }
  [[nodiscard]] const ReadStats& GetReadStats() const { return read_stats_; }
  // By how much the last tick of the load sampler came too late, and how long it took.
  [[nodiscard]] Nanoseconds TickLag() const { return tick_lag_.load(std::memory_order_relaxed); }
  [[nodiscard]] Nanoseconds TickTook() const { return tick_took_.load(std::memory_order_relaxed); }
  [[nodiscard]] const Fallbacks& GetFallbacks() const { return fallbacks_; }
  [[nodiscard]] size_t ViewCount() const { return views_.Size(); }
  [[nodiscard]] int64_t HeldFds() const { return dirs_.HeldFds(); }

 private:
  Engine(const EngineOptions& options,
         proc::PidReader pids,
         cgroup::Hierarchy hierarchy,
         std::unique_ptr<HostFiles> host);

  void LookAtHost();
  void ForgetTexts();
  void LogCpusets(const View& view, FileBuffer& buffer);
  void LogOthers(const View& view, catalog::Needs needs, FileBuffer& buffer);
  void LogHost(catalog::Needs needs, const Scratch& scratch, ReadLog& log) const;
  [[nodiscard]] Moment Now() const;
  void RestoreCounters(View& view);
  // Whether the table has it and its cgroup exists.
  [[nodiscard]] bool IsKept(const ViewRef& view) const;
  ViewRef FindByTraits(const std::string& key);
  // The view that `id` led to last, when it still does.
  ViewRef FindUnchanged(CgroupId id, Scratch& scratch);
  // Where the kernel does not tell a cgroup's path: by the first process that its view had.
  Result<ViewRef> FindByInit(CgroupId id, Scratch& scratch);
  // The id of a process's own cgroup; nullopt for the host's root.
  [[nodiscard]] std::optional<CgroupId> FindOwnId(std::string_view cgroup_text) const;
  // An error for a cgroup in quarantine.
  [[nodiscard]] Status CheckQuarantine(std::optional<CgroupId> id) const;
  // `path` is absolute and has no slash at its end; its cgroup is `id`.
  Result<ViewRef> FindViewOfCgroup(std::string_view path, CgroupId id, Scratch& scratch);
  Result<ViewRef> ResolveView(pid_t pid, const CallerTraits& traits, Scratch& scratch);
  Result<ViewRef> GetView(const Identity& identity, Scratch& scratch);
  Result<ViewRef> MakeView(const Identity& identity, std::string key, Scratch& scratch);
  Status Render(size_t file,
                const ViewRef& view,
                const Policy& policy,
                bool is_32bit,
                Scratch& scratch,
                Snapshot& into);
  // Counted, and as the time namespace of `pid` shows it, or that of its children.
  using OffsetOf = int64_t (proc::TimeNamespaces::*)(pid_t, FileBuffer&) const;
  Result<SnapshotRef> ReadInTime(
      size_t file, const ViewRef& view, pid_t pid, OffsetOf offset_of, Scratch& scratch);
  Result<SnapshotRef> ReadSnapshot(
      size_t file, const ViewRef& view, pid_t pid, Scratch& scratch, Outcome& outcome);
  Result<SnapshotRef> ReadSysNow(const std::string& path,
                                 const Result<ViewRef>& view,
                                 Scratch& scratch);
  void NoteEstimate(size_t file, const View& view);
  Result<SnapshotRef> ReadFallback(size_t file, const Error& error, Scratch& scratch);
  bool IsCaller32Bit(pid_t pid, Scratch& scratch) const;

  const EngineOptions options_;
  proc::PidReader pids_;
  const proc::TimeNamespaces times_;
  cgroup::Hierarchy hierarchy_;
  const bool finds_by_id_;
  std::unique_ptr<HostFiles> host_;
  std::unique_ptr<Resolver> resolver_;
  LoadSampler loads_;
  SheetMaker sheets_;
  SysTree sys_;
  std::array<bool, Fallbacks::kMaxFiles> available_{};
  std::array<size_t, Fallbacks::kMaxFiles> host_text_sizes_{};
  std::array<size_t, Fallbacks::kMaxFiles> page_sizes_{};
  Quarantine quarantine_;
  cgroup::DirTable dirs_;  // outlives the views: their directories give their budget back to it

  // What a pid namespace's init process and the traits of a caller in it lead to.
  struct KnownTraits {
    Fd init_pidfd;
    std::weak_ptr<View> view;  // weak: the view table alone decides which views are kept
  };
  std::mutex traits_mutex_;  // guards traits_
  std::unordered_map<std::string, std::shared_ptr<const KnownTraits>> traits_;

  std::unique_ptr<CounterMemory> counter_memory_;  // outlives the views; null: none is kept
  ViewTable views_;
  IdentityCache identities_;
  CgroupIndex cgroup_ids_;
  TaskTallies tallies_;
  Counters counters_;
  Fallbacks fallbacks_;
  ReadStats read_stats_;
  std::atomic<Nanoseconds> ticked_at_{};  // monotonic
  std::atomic<Nanoseconds> tick_lag_{};
  std::atomic<Nanoseconds> tick_took_{};
  std::atomic<uint64_t> next_serial_{1};
  mutable std::mutex policy_mutex_;  // guards the three below
  std::shared_ptr<const Policy> policy_;
  std::vector<PolicyRule> policy_rules_;
  std::atomic<uint64_t> policy_generation_{1};
};

}  // namespace core::engine
