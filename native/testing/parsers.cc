// SPDX-License-Identifier: Apache-2.0
// Every parser as a function of one text (two where the kernel has two files).
#include <napi.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/write_text.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/cgroup/pressure_trigger.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/time_namespace.h"
#include "core/proc/vmstat.h"
#include "testing/convert.h"
#include "testing/functions.h"
#include "testing/records.h"

namespace testing {
namespace {

// The text lives as long as the record that points into it.
template <auto kParse, auto kConvert>
Napi::Value JsParse(const Napi::CallbackInfo& info) {
  const std::string text = ToText(info[0]);
  const auto record = kParse(text);
  if (!record) return Throw(info.Env(), record.error());
  return kConvert(info.Env(), *record);
}

template <auto kParse, auto kConvert>
Napi::Value JsParseTwo(const Napi::CallbackInfo& info) {
  const std::string first = ToText(info[0]);
  const std::string second = ToText(info[1]);
  const auto record = kParse(first, second);
  if (!record) return Throw(info.Env(), record.error());
  return kConvert(info.Env(), *record);
}

template <typename Record, auto kConvert>
Napi::Value FromList(Napi::Env env, const std::vector<Record>& records) {
  return FromVector(env, records, kConvert);
}

Napi::Value JsWriteCpuMask(const Napi::CallbackInfo& info) {
  std::string text;
  core::TextWriter out(text);
  const auto bits = static_cast<uint32_t>(ToU64(info[1]).value_or(0));
  core::WriteCpuMask(ToCpuSet(info[0]), bits, out);
  return FromText(info.Env(), text);
}

Napi::Value JsShiftBoot(const Napi::CallbackInfo& info) {
  const int64_t offset_sec = info[1].As<Napi::Number>().Int64Value();
  return FromText(info.Env(), core::proc::ShiftBoot(ToText(info[0]), offset_sec));
}

Napi::Value JsParseBoottimeOffset(const Napi::CallbackInfo& info) {
  const int64_t offset_sec = core::proc::ParseBoottimeOffset(ToText(info[0]));
  return Napi::Number::New(info.Env(), static_cast<double>(offset_sec));
}

using core::cgroup::CpuUsageOfOne;
using core::cgroup::IoDevice;
using core::proc::DiskLine;
using core::proc::VmStatLine;

constexpr std::array kFunctions{
    Function{"parseMemInfo", JsParse<core::proc::ParseMemInfo, FromMemInfo>},
    Function{"parseStat", JsParse<core::proc::ParseStat, FromStat>},
    Function{"shiftBoot", JsShiftBoot},
    Function{"parseBoottimeOffset", JsParseBoottimeOffset},
    Function{"parseCpuInfo", JsParse<core::proc::ParseCpuInfo, FromCpuInfo>},
    Function{"parseDiskStats",
             JsParse<core::proc::ParseDiskStats, FromList<DiskLine, FromDiskLine>>},
    Function{"parseVmStat", JsParse<core::proc::ParseVmStat, FromList<VmStatLine, FromVmStatLine>>},
    Function{"parseMemoryStatV1", JsParse<core::cgroup::ParseMemoryStatV1, FromMemoryStat>},
    Function{"parseMemoryStatV2", JsParse<core::cgroup::ParseMemoryStatV2, FromMemoryStat>},
    Function{"normalizeTrigger", JsParse<core::cgroup::NormalizeTrigger, FromText>},
    Function{"parseLimit", JsParse<core::cgroup::ParseLimit, FromOptional>},
    Function{"parseCount", JsParse<core::cgroup::ParseCount, FromU64>},
    Function{"parseCpuStatV2", JsParse<core::cgroup::ParseCpuStatV2, FromCpuUsage>},
    Function{"parseThrottledV1", JsParse<core::cgroup::ParseThrottledV1, FromU64>},
    Function{"parseUsageAll",
             JsParse<core::cgroup::ParseUsageAll, FromList<CpuUsageOfOne, FromCpuUsageOfOne>>},
    Function{"parseCpuMax", JsParse<core::cgroup::ParseCpuMax, FromQuota>},
    Function{"parseCfsQuota", JsParseTwo<core::cgroup::ParseCfsQuota, FromQuota>},
    Function{"parseIoStat", JsParse<core::cgroup::ParseIoStat, FromList<IoDevice, FromIoDevice>>},
    Function{"parseBlkio", JsParseTwo<core::cgroup::ParseBlkio, FromList<IoDevice, FromIoDevice>>},
    // The list of the parsed set, as WriteCpuList writes it.
    Function{"parseCpuList", JsParse<core::ParseCpuList, FromCpuSet>},
    Function{"parseCpuMask", JsParse<core::ParseCpuMask, FromCpuSet>},
    Function{"writeCpuMask", JsWriteCpuMask},
};

}  // namespace

void ExportParsers(Napi::Object exports) {
  for (const Function& function : kFunctions) Export(exports, function);
}

}  // namespace testing
