// SPDX-License-Identifier: Apache-2.0
#include "testing/sheet_inputs.h"

#include <napi.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/cgroup/io.h"
#include "core/model/disk_view.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"
#include "core/render/sheet.h"
#include "testing/convert.h"
#include "testing/records.h"

namespace testing {
namespace {

// Parses the property when there is one. False leaves an exception pending.
template <typename Record, typename Parse>
bool ReadHost(
    const Napi::Object& object, const char* name, Parse parse, std::string& text, Record& record) {
  const Napi::Value value = Get(object, name);
  if (!value.IsString()) return true;
  text = ToText(value);
  auto parsed = parse(text);
  if (!parsed) {
    Throw(object.Env(), parsed.error());
    return false;
  }
  record = std::move(*parsed);
  return true;
}

bool ReadDisks(const Napi::Object& object, Inputs& inputs) {
  std::vector<core::proc::DiskLine> host;
  if (!ReadHost(
          object, "host_diskstats", core::proc::ParseDiskStats, inputs.diskstats_text, host)) {
    return false;
  }
  std::vector<core::cgroup::IoDevice> devices;
  for (const Napi::Object& device : ToObjects(object, "devices")) {
    devices.push_back(ToIoDevice(device));
  }
  inputs.sheet.disks = core::model::DeriveDiskRows(host, devices);
  return true;
}

bool ReadHostFiles(const Napi::Object& object, Inputs& inputs) {
  namespace proc = core::proc;
  return ReadHost(
             object, "host_meminfo", proc::ParseMemInfo, inputs.meminfo_text, inputs.meminfo) &&
         ReadHost(object, "host_stat", proc::ParseStat, inputs.stat_text, inputs.stat) &&
         ReadHost(
             object, "host_cpuinfo", proc::ParseCpuInfo, inputs.cpuinfo_text, inputs.cpuinfo) &&
         ReadHost(object, "host_vmstat", proc::ParseVmStat, inputs.vmstat_text, inputs.vmstat) &&
         ReadDisks(object, inputs);
}

void ReadView(const Napi::Object& object, Inputs& inputs) {
  core::render::Sheet& sheet = inputs.sheet;
  sheet.age_usec = ToU64(Get(object, "age_usec")).value_or(0);
  sheet.memory = ToMemoryView(ToObject(object, "memory"));
  sheet.memory_stat = ToMemoryStat(ToObject(object, "memory_stat"));
  sheet.cpus = ToVisibleCpus(ToObject(object, "cpus"));
  sheet.cpu_times = ToCpuTimes(ToObject(object, "cpu_times"));
  sheet.tasks = ToTaskCounts(ToObject(object, "tasks"));
  const Napi::Object load = ToObject(object, "load");
  for (uint32_t index = 0; index < sheet.load.fixed.size(); ++index) {
    const std::string name = std::to_string(index);
    sheet.load.fixed[index] = ToU64(Get(load, name.c_str())).value_or(0);
  }
}

void PointSheet(Inputs& inputs) {
  core::render::Sheet& sheet = inputs.sheet;
  sheet.host_meminfo = &inputs.meminfo;
  sheet.host_stat = &inputs.stat;
  sheet.host_cpuinfo = &inputs.cpuinfo;
  sheet.host_vmstat = &inputs.vmstat;
  sheet.host_swaps_header = inputs.swaps_header;
  sheet.pressure = inputs.pressure;
}

}  // namespace

bool ReadInputs(const Napi::Object& object, Inputs& inputs) {
  inputs.swaps_header = ToText(Get(object, "host_swaps_header"));
  inputs.pressure = ToText(Get(object, "pressure"));
  if (!ReadHostFiles(object, inputs)) return false;
  ReadView(object, inputs);
  PointSheet(inputs);
  return true;
}

}  // namespace testing
