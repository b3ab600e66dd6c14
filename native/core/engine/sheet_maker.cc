// SPDX-License-Identifier: Apache-2.0
#include "core/engine/sheet_maker.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/units.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/cgroup/memory_query.h"
#include "core/engine/moment.h"
#include "core/engine/options.h"
#include "core/engine/pressure.h"
#include "core/engine/view.h"
#include "core/model/cpu_time.h"
#include "core/model/disk_view.h"
#include "core/model/load_average.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/meminfo.h"

namespace core::engine {
namespace {

using catalog::Need;
using catalog::Needs;
using cgroup::Controller;
using std::chrono::duration_cast;
using std::chrono::microseconds;

uint64_t Usec(Nanoseconds time) {
  return static_cast<uint64_t>(std::max<int64_t>(0, duration_cast<microseconds>(time).count()));
}

cgroup::MemoryQuery QueryOf(const proc::MemInfo& host, const Policy& policy, Moment now) {
  const bool has_huge_pages = host.ValueOf("HugePages_Total") > 0;
  const uint64_t swap_kib = host.ValueOf("SwapTotal");
  return {.has_swap = policy.swap && swap_kib > 0,
          .huge_page_kib = has_huge_pages ? host.ValueOf("Hugepagesize") : 0,
          .host_total_bytes = host.ValueOf("MemTotal") * kBytesPerKib,
          .host_swap_bytes = swap_kib * kBytesPerKib,
          .now = now.monotonic,
          .max_age = policy.freshness};
}

bool GovernsNothing(const View& view, std::initializer_list<Controller> controllers) {
  return std::ranges::all_of(controllers,
                             [&](Controller controller) { return view.cgroup.IsRoot(controller); });
}

// Who asks what a number is made of gets it made.
bool IsFresh(Nanoseconds made_at, const Policy& policy, Moment now, const Scratch& scratch) {
  return made_at != Nanoseconds{} && made_at + policy.freshness >= now.monotonic &&
         policy.freshness > Nanoseconds{} && scratch.file.Log() == nullptr;
}

}  // namespace

uint64_t AgeUsec(const View& view, Moment now) {
  return SaturatingSub(Usec(now.boottime), view.init.starttime * kUsecPerUserHz);
}

bool SheetMaker::IsHosts(const View& view, Needs needs, const Policy& policy) {
  if (needs.Has(Need::kMemory)) return GovernsNothing(view, {Controller::kMemory});
  if (needs.Has(Need::kDisks)) return GovernsNothing(view, {Controller::kIo});
  if (needs.Has(Need::kLoad)) return !policy.loadavg || view.cgroup.Primary() == nullptr;
  if (needs.Has(Need::kHostStat)) {
    return GovernsNothing(view, {Controller::kCpu, Controller::kCpuacct, Controller::kCpuset});
  }
  if (needs.Has(Need::kCpuTime)) return view.is_host_process && view.cgroup.Primary() == nullptr;
  if (needs.Has(Need::kCpus)) {
    return GovernsNothing(view, {Controller::kCpu, Controller::kCpuset}) &&
           policy.cpu.numbering == model::CpuNumbering::kPhysical;
  }
  return false;
}

Result<bool> SheetMaker::Make(
    View& view, Needs needs, const Policy& policy, bool is_32bit, Moment now, Scratch& scratch) {
  scratch.sheet = render::Sheet{};  // nothing of the view before may shine through
  const auto host = FillHost(needs, policy, is_32bit, now, scratch);
  if (!host) return host.error();
  Result<bool> is_own(true);
  if (needs.Has(Need::kMemory)) is_own = FillMemory(view, policy, now, scratch);
  if (is_own && *is_own && needs.Has(Need::kDisks)) {
    is_own = FillDisks(view, policy, now, scratch);
    // vmstat is about memory first: without counters of its own its disk lines are 0.
    if (is_own && needs.Has(Need::kHostVmStat)) is_own = true;
  }
  if (is_own && *is_own && needs.Has(Need::kCpuTime)) {
    is_own = FillCpuTime(view, policy, now, scratch);
  } else if (is_own && needs.Has(Need::kCpus)) {
    const auto cpus = FillCpus(view, policy, now, scratch);
    if (!cpus) return cpus.error();
  }
  if (is_own && *is_own) is_own = FillPressure(view, needs, scratch);
  if (!is_own || !*is_own) return is_own;
  if (needs.Has(Need::kTasks) || needs.Has(Need::kLoad)) {
    view.load_wanted_at.store(now.monotonic, std::memory_order_relaxed);
    const auto tasks = loads_.ReadTasks(view, now, scratch.file);
    if (!tasks) return tasks.error();
    scratch.sheet.tasks = *tasks;
  }
  if (needs.Has(Need::kLoad)) {
    const auto load = loads_.ReadLoad(view, now, scratch.file);
    if (!load) return load.error();
    scratch.sheet.load = *load;
  }
  return true;
}

Status SheetMaker::FillHost(
    Needs needs, const Policy& policy, bool is_32bit, Moment now, Scratch& scratch) {
  render::Sheet& sheet = scratch.sheet;
  const Nanoseconds at = now.monotonic;
  if (needs.Has(Need::kMemory)) {
    auto meminfo = host_.MemInfo(at, policy.freshness);
    if (!meminfo) return meminfo.error();
    scratch.meminfo = std::move(*meminfo);
    sheet.host_meminfo = &scratch.meminfo->record;
  }
  if (needs.Has(Need::kHostStat)) {
    auto stat = host_.Stat(at, policy.freshness);
    if (!stat) return stat.error();
    scratch.stat = std::move(*stat);
    sheet.host_stat = &scratch.stat->record;
  }
  if (needs.Has(Need::kHostCpuInfo)) {
    auto cpuinfo = host_.CpuInfo(at, policy.freshness, is_32bit);
    if (!cpuinfo) return cpuinfo.error();
    scratch.cpuinfo = std::move(*cpuinfo);
    sheet.host_cpuinfo = &scratch.cpuinfo->record;
  }
  if (needs.Has(Need::kHostVmStat)) {
    auto vmstat = host_.VmStat(at, policy.freshness);
    if (!vmstat) return vmstat.error();
    scratch.vmstat = std::move(*vmstat);
    sheet.host_vmstat = &scratch.vmstat->record;
  }
  if (needs.Has(Need::kHostSwaps)) {
    auto swaps = host_.Swaps(at, policy.freshness);
    if (!swaps) return swaps.error();
    scratch.swaps = std::move(*swaps);
    sheet.host_swaps_header = scratch.swaps->record.line;
  }
  return Unit{};
}

Result<bool> SheetMaker::FillMemory(View& view,
                                    const Policy& policy,
                                    Moment now,
                                    Scratch& scratch) {
  const proc::MemInfo& host = *scratch.sheet.host_meminfo;
  scratch.memory_query = QueryOf(host, policy, now);
  scratch.memory_query.level_reads = &level_reads_;
  const auto memory = view.cgroup.ReadMemory(scratch.file, scratch.memory_query);
  if (!memory) return memory.error();
  const std::optional<cgroup::Memory>& found = *memory;
  if (!found) return false;
  scratch.sheet.memory_stat = found->stat;
  scratch.sheet.memory_usage_bytes = found->usage_bytes;
  scratch.sheet.swap_usage_bytes = found->swap_usage_bytes;
  scratch.sheet.memory = model::DeriveMemoryView(*found,
                                                 host,
                                                 {.swap = policy.swap,
                                                  .overcommit_ratio = host_.OvercommitRatio(),
                                                  .overcommit_kib = host_.OvercommitKib()});
  return true;
}

Result<std::vector<cgroup::MemoryLevelReport>> SheetMaker::DescribeMemoryLevels(
    const View& view, Scratch& scratch, bool with_neighbours) const {
  return view.cgroup.DescribeMemoryLevels(scratch.file, scratch.memory_query, with_neighbours);
}

Result<bool> SheetMaker::FillDisks(View& view, const Policy& policy, Moment now, Scratch& scratch) {
  auto host = host_.DiskStats(now.monotonic, policy.freshness);
  if (!host) return host.error();
  scratch.diskstats = std::move(*host);
  const auto devices = view.cgroup.ReadIo(scratch.file);
  if (!devices) return devices.error();
  const std::optional<std::vector<cgroup::IoDevice>>& found = *devices;
  if (!found) return false;
  scratch.sheet.disks = model::DeriveDiskRows(scratch.diskstats->record, *found);
  return true;
}

Result<model::VisibleCpus> SheetMaker::ReadVisibleCpus(const View& view,
                                                       const Policy& policy,
                                                       Moment now,
                                                       FileBuffer& buffer) {
  const auto online = host_.OnlineCpus(now.monotonic, policy.freshness);
  if (!online) return online.error();
  const auto effective = view.cgroup.ReadEffectiveCpus(buffer);
  if (!effective) return effective.error();
  const CpuSet& all = (*online)->record;
  const CpuSet allowed = effective->value_or(all);
  if (policy.cpu.count == model::CpuCount::kCpuset) {  // whatever the quota is: nobody asks for it
    return model::DeriveVisibleCpus(allowed, all, std::nullopt, policy.cpu);
  }
  const auto quota = view.cgroup.ReadCpuQuota(buffer);
  if (!quota) return quota.error();
  return model::DeriveVisibleCpus(allowed, all, *quota, policy.cpu);
}

// When they were read.
Result<Nanoseconds> SheetMaker::FillCpus(View& view,
                                         const Policy& policy,
                                         Moment now,
                                         Scratch& scratch) {
  {
    const std::lock_guard lock(view.mutex);
    if (IsFresh(view.cpus.made_at, policy, now, scratch)) {
      scratch.sheet.cpus = view.cpus.cpus;
      return view.cpus.made_at;
    }
  }
  const auto cpus = ReadVisibleCpus(view, policy, now, scratch.file);
  if (!cpus) return cpus.error();
  scratch.sheet.cpus = *cpus;
  const std::lock_guard lock(view.mutex);
  view.cpus = {.cpus = *cpus, .made_at = now.monotonic};
  return now.monotonic;
}

// A container whose CPU time only the root cgroup counts has no usage of its own to show: all of
// its time is idle (a private pid namespace in the root cgroup).
Result<bool> SheetMaker::FillCpuTime(View& view,
                                     const Policy& policy,
                                     Moment now,
                                     Scratch& scratch) {
  render::Sheet& sheet = scratch.sheet;
  {
    const std::lock_guard lock(view.mutex);
    const KnownCpuTime& known = view.cpu_time;
    if (IsFresh(known.made_at, policy, now, scratch)) {
      sheet.cpus = known.cpus;
      sheet.cpu_times = known.times;
      sheet.age_usec = known.age_usec;
      return true;
    }
  }
  const auto made_at = FillCpus(view, policy, now, scratch);
  if (!made_at) return made_at.error();
  auto usage = view.cgroup.ReadCpuUsage(scratch.file);
  if (!usage) return usage.error();
  const model::CpuSample sample{.boottime_usec = Usec(now.boottime),
                                .age_usec = AgeUsec(view, now),
                                .usage = std::move(*usage).value_or(cgroup::CpuUsage{})};
  sheet.age_usec = sample.age_usec;
  const std::lock_guard lock(view.mutex);
  view.counted.cpu.Advance(sample, sheet.cpus);
  view.SaveCounted();
  sheet.cpu_times = view.counted.cpu.Read(sheet.cpus);
  view.cpu_time = {.cpus = sheet.cpus,
                   .times = sheet.cpu_times,
                   .age_usec = sheet.age_usec,
                   .made_at = *made_at};
  return true;
}

Result<bool> SheetMaker::FillPressure(View& view, Needs needs, Scratch& scratch) {
  const auto file = PressureFileOf(needs);
  if (!file) return true;
  const auto text = view.cgroup.ReadPressure(*file, scratch.file);
  if (!text) return text.error();
  const std::optional<std::string_view>& found = *text;
  if (!found) return false;
  scratch.sheet.pressure = *found;
  return true;
}

}  // namespace core::engine
