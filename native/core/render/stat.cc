// SPDX-License-Identifier: Apache-2.0
// fs/proc/stat.c: show_stat() (6.18). Different on purpose: iowait, irq, softirq and guest time are
// not counted per cgroup and are 0; intr is the host's total with one 0 for all interrupts, as its
// readers take as many as there are; procs_running and procs_blocked are the container's.
#include "core/proc/stat.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/base/units.h"
#include "core/base/write_text.h"
#include "core/model/cpu_time.h"
#include "core/render/render.h"
#include "core/render/sheet.h"

namespace core::render {
namespace {

// Behind the name: user nice system idle iowait irq softirq steal guest guest_nice.
void PutTimes(const model::CpuTime& time, TextWriter& out) {
  out.Put(' ').PutU64(time.user_usec / kUsecPerUserHz);
  out.Put(' ').PutU64(time.nice_usec / kUsecPerUserHz);
  out.Put(' ').PutU64(time.system_usec / kUsecPerUserHz);
  out.Put(' ').PutU64(time.idle_usec / kUsecPerUserHz);
  out.Put(" 0 0 0 ").PutU64(time.steal_usec / kUsecPerUserHz).Put(" 0 0\n");
}

void PutLine(std::string_view key, uint64_t value, TextWriter& out) {
  out.Put(key).Put(' ').PutU64(value).Put('\n');
}

}  // namespace

void RenderStat(const Sheet& sheet, TextWriter& out) {
  out.Put("cpu ");
  PutTimes(sheet.cpu_times.total, out);
  for (const model::CpuTimeOfOne& one : sheet.cpu_times.cpus) {
    out.Put("cpu").PutU64(sheet.cpus.ShownNumber(one.cpu));
    PutTimes(one.time, out);
  }
  const proc::Stat& host = *sheet.host_stat;
  const TaskCounts& tasks = sheet.tasks;
  out.Put("intr ").PutU64(host.intr).Put(" 0\n");
  PutLine("ctxt", host.ctxt, out);
  PutLine("btime", host.btime, out);
  PutLine("processes", host.processes, out);
  // At least the reader runs.
  PutLine("procs_running", std::max(SaturatingSub(tasks.running, tasks.blocked), uint64_t{1}), out);
  PutLine("procs_blocked", tasks.blocked, out);
  out.Put("softirq ").PutU64(host.softirq);
  for (const uint64_t count : host.Softirqs()) out.Put(' ').PutU64(count);
  out.Put('\n');
}

}  // namespace core::render
