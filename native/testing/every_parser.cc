// SPDX-License-Identifier: Apache-2.0
#include "testing/every_parser.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/view_name.h"
#include "core/base/write_text.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/pressure_trigger.h"
#include "core/model/cpu_time.h"
#include "core/model/disk_view.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/pid.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace testing {
namespace {

using core::render::Sheet;

constexpr uint64_t kAgeUsec = 1'000'000;

core::CpuSet FirstCpus(uint32_t count) {
  core::CpuSet set;
  for (uint32_t cpu = 0; cpu < count; ++cpu) set.Add(cpu);
  return set;
}

// Two of four CPUs.
core::model::VisibleCpus TwoCpus() {
  const auto quota = core::cgroup::CpuQuota{.quota_usec = 150'000, .period_usec = 100'000};
  return core::model::DeriveVisibleCpus(
      FirstCpus(4), FirstCpus(4), quota, {.numbering = core::model::CpuNumbering::kVirtual});
}

template <typename Render>
std::string Rendered(Render render, const Sheet& sheet) {
  std::string text;
  core::TextWriter out(text);
  render(sheet, out);
  return text;
}

bool RunMemInfo(std::string_view text) {
  const auto host = core::proc::ParseMemInfo(text);
  if (!host) return true;
  core::cgroup::Memory memory;
  memory.limit_bytes = 1 << 20;
  memory.usage_bytes = 1 << 30;
  Sheet sheet;
  sheet.host_meminfo = &*host;
  sheet.memory = core::model::DeriveMemoryView(memory, *host, {});
  const std::string rendered = Rendered(core::render::RenderMemInfo, sheet);
  const auto again = core::proc::ParseMemInfo(rendered);
  return again.has_value() && again->Lines().size() == host->Lines().size();
}

bool RunCpuInfo(std::string_view text) {
  const auto host = core::proc::ParseCpuInfo(text);
  if (!host) return true;
  Sheet sheet;
  sheet.host_cpuinfo = &*host;
  sheet.cpus = TwoCpus();
  const std::string rendered = Rendered(core::render::RenderCpuInfo, sheet);
  return rendered.empty() || core::proc::ParseCpuInfo(rendered).has_value();
}

bool RunStat(std::string_view text) {
  const auto host = core::proc::ParseStat(text);
  if (!host) return true;
  Sheet sheet;
  sheet.host_stat = &*host;
  const auto again = core::proc::ParseStat(Rendered(core::render::RenderStat, sheet));
  return again.has_value() && again->btime == host->btime;
}

bool RunVmStat(std::string_view text) {
  const auto host = core::proc::ParseVmStat(text);
  if (!host) return true;
  Sheet sheet;
  sheet.host_vmstat = &*host;
  const std::string rendered = Rendered(core::render::RenderVmStat, sheet);
  const auto again = core::proc::ParseVmStat(rendered);
  return again.has_value() && again->size() == host->size();
}

bool RunDiskStats(std::string_view text) {
  const auto host = core::proc::ParseDiskStats(text);
  if (!host) return true;
  std::vector<core::cgroup::IoDevice> devices;
  for (const core::proc::DiskLine& line : *host) {
    devices.push_back({.major = line.major, .minor = line.minor, .rbytes = 4096, .rios = 1});
  }
  Sheet sheet;
  sheet.disks = core::model::DeriveDiskRows(*host, devices);
  const std::string rendered = Rendered(core::render::RenderDiskStats, sheet);
  const auto again = core::proc::ParseDiskStats(rendered);
  return again.has_value() && again->size() == sheet.disks.size();
}

bool RunCpuUsage(std::string_view text) {
  core::cgroup::CpuUsage usage;
  if (const auto total = core::cgroup::ParseCpuStatV2(text)) usage = *total;
  if (const auto all = core::cgroup::ParseUsageAll(text)) usage.per_cpu = *all;
  core::model::CpuAccumulator accumulator;
  const auto cpus = TwoCpus();
  accumulator.Advance({.boottime_usec = kAgeUsec, .age_usec = kAgeUsec, .usage = usage}, cpus);
  const auto times = accumulator.Read(cpus);
  return times.cpus.size() == 2 && times.cpus[0].time.idle_usec <= times.total.idle_usec;
}

// An error is as good an answer as a record, for each of these.
void RunSmallParsers(std::string_view text) {
  (void)core::cgroup::ParseMemoryStatV1(text);
  (void)core::cgroup::ParseMemoryStatV2(text);
  (void)core::cgroup::ParseLimit(text);
  (void)core::cgroup::ParseCount(text);
  (void)core::cgroup::ParseThrottledV1(text);
  (void)core::cgroup::ParseCpuMax(text);
  (void)core::cgroup::ParseCfsQuota(text, text);
  (void)core::cgroup::ParseIoStat(text);
  (void)core::cgroup::ParseBlkio(text, text);
}

bool RunProc(std::string_view text) {
  return RunMemInfo(text) && RunCpuInfo(text) && RunStat(text) && RunVmStat(text) &&
         RunDiskStats(text);
}

// What is made of a trigger is one that stays as it is.
bool RunTrigger(std::string_view text) {
  const auto trigger = core::cgroup::NormalizeTrigger(text);
  if (!trigger) return true;
  const auto again = core::cgroup::NormalizeTrigger(*trigger);
  return again && *again == *trigger;
}

bool RunCgroup(std::string_view text) {
  RunSmallParsers(text);
  return RunCpuUsage(text) && RunTrigger(text);
}

// What was written is what was read.
bool RunCpuSets(std::string_view text) {
  const auto set = core::ParseCpuList(text);
  const auto mask = core::ParseCpuMask(text);
  std::string list;
  core::TextWriter out(list);
  if (set) core::WriteCpuList(*set, out);
  if (set && !(*core::ParseCpuList(list) == *set)) return false;
  list.clear();
  if (mask) core::WriteCpuMask(*mask, core::CpuSet::kMaxCpus, out);
  return !mask || *core::ParseCpuMask(list) == *mask;
}

// Whatever a process calls itself, what follows its name is read from the same place.
bool RunPid(std::string_view text) {
  (void)core::proc::ParseNamespaceLink(text);
  (void)core::proc::ParsePersonality(text);
  (void)core::proc::ParseNsPids(text);
  const std::string stat =
      "7 (" + std::string(text) + ") S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + "4711 0 0";
  const auto named = core::proc::ParsePidStat(stat);
  (void)core::proc::ParsePidStat(text);
  return named.has_value() && named->state == 'S' && named->starttime == 4711;
}

bool RunMountInfo(std::string_view text) {
  const auto mounts = core::proc::ParseCgroupMounts(text);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  return mounts.size() <= lines;
}

// A name stands for one path, and a path for one name.
bool RunViewName(std::string_view text) {
  const auto id = core::cgroup::IdOfName(text);
  if (id && core::cgroup::NameOfId(*id) != text) return false;
  const auto path = core::CgroupPathOf(text);
  if (path && core::ViewNameOf(*path) != text) return false;
  if (!text.starts_with('/') || text == "/") return true;
  const auto again = core::CgroupPathOf(core::ViewNameOf(text));
  return !again || *again == text;
}

constexpr std::array kParserChecks{
    ParserCheck{.name = "proc", .run = RunProc},
    ParserCheck{.name = "cgroup", .run = RunCgroup},
    ParserCheck{.name = "cpu_list", .run = RunCpuSets},
    ParserCheck{.name = "pid", .run = RunPid},
    ParserCheck{.name = "mountinfo", .run = RunMountInfo},
    ParserCheck{.name = "view_name", .run = RunViewName},
};

}  // namespace

bool RunEverything(std::string_view text) {
  return std::all_of(kParserChecks.begin(), kParserChecks.end(), [text](const ParserCheck& check) {
    return check.run(text);
  });
}

std::span<const ParserCheck> ParserChecks() {
  return kParserChecks;
}

}  // namespace testing
