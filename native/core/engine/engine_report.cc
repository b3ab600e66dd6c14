// SPDX-License-Identifier: Apache-2.0
// What the engine knows of a view, and where the numbers of a file come from.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/read_log.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/units.h"
#include "core/base/write_text.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/cgroup_dir.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/hierarchy.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/explanation.h"
#include "core/engine/moment.h"
#include "core/engine/quarantine.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/snapshot_slots.h"
#include "core/engine/view.h"
#include "core/engine/view_report.h"
#include "core/engine/work_record.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"

namespace core::engine {
namespace {

using catalog::Need;
using cgroup::CgroupFile;

constexpr uint64_t kBytesPerKib = 1024;

void Note(ViewReport& report, const Error& error) {
  if (!report.problem.empty()) return;
  report.problem = std::string(error.operation) + " " + error.path;
}

std::string PathOf(const View& view) {
  const auto& primary = view.cgroup.Primary();
  return primary == nullptr ? "/" : primary->Path();
}

// "some avg10=1.25 avg60=0.00 avg300=0.00 total=0" is 125.
std::optional<uint64_t> ParsePressure(std::string_view text) {
  constexpr std::string_view kStart = "some avg10=";
  if (!text.starts_with(kStart)) return std::nullopt;
  text.remove_prefix(kStart.size());
  std::string_view number = TakeUntil(text, ' ');
  const auto whole = ParseU64(TakeUntil(number, '.'));
  const auto hundredths = ParseU64(number);
  if (!whole || !hundredths) return std::nullopt;
  return *whole * 100 + *hundredths;
}

std::optional<uint64_t> ReadPressureOf(const View& view, CgroupFile file, FileBuffer& buffer) {
  const auto text = view.cgroup.ReadPressure(file, buffer);
  if (!text) return std::nullopt;
  const std::optional<std::string_view>& found = *text;
  return found ? ParsePressure(*found) : std::nullopt;
}

void ReportCpu(const View& view, FileBuffer& buffer, ViewReport& report) {
  const auto quota = view.cgroup.ReadCpuQuota(buffer);
  if (quota) {
    report.quota = *quota;
  } else {
    Note(report, quota.error());
  }
  const auto usage = view.cgroup.ReadCpuUsage(buffer);
  if (!usage) {
    Note(report, usage.error());
    return;
  }
  const std::optional<cgroup::CpuUsage>& found = *usage;
  if (!found) return;
  report.user_usec = found->user_usec;
  report.system_usec = found->system_usec;
  report.throttled_usec = found->throttled_usec;
}

void ReportTasks(View& view, FileBuffer& buffer, ViewReport& report) {
  const auto tasks = view.cgroup.ReadPidsCurrent(buffer);
  if (tasks) report.tasks = *tasks;
  report.pressure_cpu = ReadPressureOf(view, CgroupFile::kPressureCpu, buffer);
  report.pressure_memory = ReadPressureOf(view, CgroupFile::kPressureMemory, buffer);
  report.pressure_io = ReadPressureOf(view, CgroupFile::kPressureIo, buffer);
  const std::lock_guard lock(view.mutex);
  if (!view.counted.load) return;
  report.load_hundredths = std::array<uint64_t, 3>{view.counted.load->Hundredths(0),
                                                   view.counted.load->Hundredths(1),
                                                   view.counted.load->Hundredths(2)};
}

// The ancestor that leaves less than the container root's own limit does; empty when there is none.
std::string TightestAncestor(const std::vector<cgroup::MemoryLevelReport>& levels,
                             const cgroup::Cgroup& root) {
  const cgroup::MemoryLevelReport* tightest = nullptr;
  uint64_t least_bytes = UINT64_MAX;
  for (const cgroup::MemoryLevelReport& level : levels) {
    const uint64_t bytes = level.room.available_bytes.value_or(UINT64_MAX);
    if (bytes >= least_bytes) continue;
    least_bytes = bytes;
    tightest = &level;
  }
  const bool is_own =
      tightest == nullptr || tightest->path == root.Paths().Of(cgroup::Controller::kMemory);
  return is_own ? std::string() : tightest->path;
}

}  // namespace

ViewReport Engine::Report(const ViewRef& view, Scratch& scratch) {
  const Work work(quarantine_.Works(), IdOf(*view));
  const Moment now = Now();
  const auto policy = PolicyOf(*view);
  ViewReport report;
  report.serial = view->serial;
  report.cgroup = PathOf(*view);
  report.init_pid = view->init.pid;
  report.age_usec = AgeUsec(*view, now);
  report.reads = view->reads.load(std::memory_order_relaxed);
  report.hits = view->hits.load(std::memory_order_relaxed);
  const Nanoseconds idle = now.monotonic - view->used_at.load(std::memory_order_relaxed);
  report.idle_usec = static_cast<uint64_t>(std::max<int64_t>(0, idle.count())) / kNsecPerUsec;
  report.has_own_policy = policy != GetPolicy();

  const auto cpus = sheets_.ReadVisibleCpus(*view, *policy, now, scratch.file);
  if (cpus) {
    TextWriter out(report.cpus);
    WriteCpuList(cpus->Shown(), out);
    report.cpu_count = cpus->count;
  } else {
    Note(report, cpus.error());
  }
  ReportCpu(*view, scratch.file, report);
  ReportTasks(*view, scratch.file, report);
  if (SheetMaker::IsHosts(*view, Need::kMemory, *policy)) return report;
  const auto is_own = sheets_.Make(*view, Need::kMemory, *policy, false, now, scratch);
  if (!is_own) Note(report, is_own.error());
  if (!is_own || !*is_own) return report;
  const model::MemoryView& memory = scratch.sheet.memory;
  report.memory_total_bytes = memory.mem_total * kBytesPerKib;
  report.memory_usage_bytes =
      std::min(scratch.sheet.memory_usage_bytes, memory.mem_total * kBytesPerKib);
  report.memory_available_bytes = memory.mem_available * kBytesPerKib;
  report.swap_total_bytes = memory.swap_total * kBytesPerKib;
  report.swap_usage_bytes =
      std::min(scratch.sheet.swap_usage_bytes, memory.swap_total * kBytesPerKib);
  const uint64_t host_total = scratch.meminfo->record.ValueOf("MemTotal");
  if (memory.mem_total < host_total) report.memory_limit_bytes = report.memory_total_bytes;
  const auto levels = sheets_.DescribeMemoryLevels(*view, scratch, false);
  if (!levels) Note(report, levels.error());
  if (levels) report.memory_room_level = TightestAncestor(*levels, view->cgroup);
  return report;
}

std::vector<Engine::LeftAlone> Engine::ListQuarantine() const {
  std::vector<LeftAlone> all;
  for (const Quarantined& found : quarantine_.All(NowMonotonic())) {
    const auto path = hierarchy_.PathOf(found.id.controller, found.id.inode);
    // A cgroup that is gone has no readers.
    if (!path && finds_by_id_) continue;
    const auto left = std::chrono::ceil<std::chrono::seconds>(found.left);
    all.push_back({.cgroup = path ? *path : cgroup::NameOfId(found.id),
                   .slot = found.slot,
                   .deaths = found.deaths,
                   .left_sec = static_cast<uint64_t>(left.count())});
  }
  return all;
}

void Engine::LogHost(catalog::Needs needs, const Scratch& scratch, ReadLog& log) const {
  const auto add = [&](const std::string& root, const char* path, std::string_view text) {
    log.push_back({.path = root + "/" + path, .text = std::string(text)});
  };
  const auto& proc = options_.proc_root;
  if (needs.Has(Need::kMemory) && scratch.meminfo) add(proc, "meminfo", scratch.meminfo->text);
  if (needs.Has(Need::kHostStat) && scratch.stat) add(proc, "stat", scratch.stat->text);
  if (needs.Has(Need::kHostCpuInfo) && scratch.cpuinfo) {
    add(proc, "cpuinfo", scratch.cpuinfo->text);
  }
  if (needs.Has(Need::kHostVmStat) && scratch.vmstat) add(proc, "vmstat", scratch.vmstat->text);
  if (needs.Has(Need::kHostSwaps) && scratch.swaps) add(proc, "swaps", scratch.swaps->text);
  if (needs.Has(Need::kDisks) && scratch.diskstats) {
    add(proc, "diskstats", scratch.diskstats->text);
  }
  FileBuffer buffer;
  if (needs.Has(Need::kCpus) || needs.Has(Need::kCpuTime)) {
    const auto online = host_->ReadRaw("sys/devices/system/cpu/online", buffer);
    if (online) add(options_.sys_root, "devices/system/cpu/online", *online);
  }
  if (needs.Has(Need::kMemory)) {
    for (const char* const name : {"sys/vm/overcommit_ratio", "sys/vm/overcommit_kbytes"}) {
      const auto text = host_->ReadRaw(std::string("proc/") + name, buffer);
      if (text) add(proc, name, *text);
    }
  }
}

// The nearest cpuset is all that counts, but it may have been made this small further up.
void Engine::LogCpusets(const View& view, FileBuffer& buffer) {
  constexpr auto kCpuset = cgroup::Controller::kCpuset;
  if (view.cgroup.VersionOf(kCpuset) == cgroup::Version::kNone) return;
  std::string_view path = view.cgroup.Paths().Of(kCpuset);
  for (; path.size() > 1; path = cgroup::ParentOf(path)) {
    const auto dir = dirs_.Open(hierarchy_, kCpuset, path);
    if (!dir) continue;
    for (const char* const name :
         {"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"}) {
      if ((*dir)->ReadByName(name, buffer)) break;
    }
  }
}

// What a number is made of that was known before, and the limits that decide nothing.
void Engine::LogOthers(const View& view, catalog::Needs needs, FileBuffer& buffer) {
  const bool is_about_time = needs.Has(Need::kCpuTime) || needs.Has(Need::kLoad);
  if (needs.Has(Need::kCpus) || needs.Has(Need::kCpuTime)) LogCpusets(view, buffer);
  if (is_about_time) (void)pids_.ReadStat(view.init.pid, buffer);
}

Result<Explanation> Engine::Explain(size_t file, const ViewRef& view, Scratch& scratch) {
  const catalog::FileEntry& entry = catalog::Files()[file];
  const auto policy = PolicyOf(*view);
  Explanation made;
  made.cgroup = PathOf(*view);
  made.init_pid = view->init.pid;
  scratch.file.SetLog(&made.inputs);
  Snapshot snapshot;
  const Moment now = Now();
  const auto status = Render(file, view, *policy, false, scratch, snapshot);
  if (status && !snapshot.is_hosts) LogOthers(*view, entry.needs, scratch.file);
  scratch.file.SetLog(nullptr);
  if (!status) return status.error();
  made.text = std::move(snapshot.bytes);
  if (entry.needs.Has(Need::kHostStat)) {
    made.text = proc::ShiftBoot(made.text, times_.OffsetOfChildren(view->init.pid, scratch.file));
  }
  made.age_usec = AgeUsec(*view, now);
  made.is_off = !policy->files.test(file);
  if (entry.mode != 0400) {
    FileBuffer buffer;
    const auto host = host_->ReadRaw(entry.path, buffer);
    if (host) made.host_text.assign(*host);
  }
  made.is_hosts = snapshot.is_hosts;
  if (made.is_hosts) return made;
  if (entry.needs.Has(Need::kMemory)) {
    auto levels = sheets_.DescribeMemoryLevels(*view, scratch, true);
    if (!levels) return levels.error();
    made.memory_levels = std::move(*levels);
  }
  LogHost(entry.needs, scratch, made.inputs);
  if (scratch.sheet.cpus.count != 0) {
    TextWriter out(made.cpus);
    WriteCpuList(scratch.sheet.cpus.physical, out);
  }
  return made;
}

}  // namespace core::engine
