// SPDX-License-Identifier: Apache-2.0
// Parsers and renderers many times in a row, for bench/micro: what a call costs without the way
// from JavaScript and back. Each returns how often the calls have allocated.
#include <napi.h>

#include <array>
#include <cstdint>
#include <string>

#include "core/base/write_text.h"
#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"
#include "core/render/render.h"
#include "testing/allocations.h"
#include "testing/convert.h"
#include "testing/functions.h"
#include "testing/sheet_inputs.h"

namespace testing {
namespace {

// What follows cannot be left out by the compiler because nobody uses the result.
template <typename Value>
void Use(const Value& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

// (text, count)
template <auto kParse>
Napi::Value JsRepeatParse(const Napi::CallbackInfo& info) {
  const std::string text = ToText(info[0]);
  const uint64_t count = ToU64(info[1]).value_or(0);
  const uint64_t before = CountAllocations();
  for (uint64_t index = 0; index < count; ++index) {
    const auto record = kParse(text);
    if (!record) return Throw(info.Env(), record.error());
    Use(record);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(CountAllocations() - before));
}

// (sheet, count), into a string that has room after the first time.
template <auto kRender>
Napi::Value JsRepeatRender(const Napi::CallbackInfo& info) {
  Inputs inputs;
  if (!ReadInputs(info[0].As<Napi::Object>(), inputs)) return info.Env().Undefined();
  const uint64_t count = ToU64(info[1]).value_or(0);
  std::string text;
  core::TextWriter out(text);
  kRender(inputs.sheet, out);
  const uint64_t before = CountAllocations();
  for (uint64_t index = 0; index < count; ++index) {
    text.clear();
    kRender(inputs.sheet, out);
    Use(text);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(CountAllocations() - before));
}

constexpr std::array kFunctions{
    Function{"repeatParseMemInfo", JsRepeatParse<core::proc::ParseMemInfo>},
    Function{"repeatParseStat", JsRepeatParse<core::proc::ParseStat>},
    Function{"repeatParseCpuInfo", JsRepeatParse<core::proc::ParseCpuInfo>},
    Function{"repeatParseDiskStats", JsRepeatParse<core::proc::ParseDiskStats>},
    Function{"repeatParseVmStat", JsRepeatParse<core::proc::ParseVmStat>},
    Function{"repeatParseMemoryStatV1", JsRepeatParse<core::cgroup::ParseMemoryStatV1>},
    Function{"repeatParseMemoryStatV2", JsRepeatParse<core::cgroup::ParseMemoryStatV2>},
    Function{"repeatParseCpuStatV2", JsRepeatParse<core::cgroup::ParseCpuStatV2>},
    Function{"repeatParseUsageAll", JsRepeatParse<core::cgroup::ParseUsageAll>},
    Function{"repeatParseIoStat", JsRepeatParse<core::cgroup::ParseIoStat>},
    Function{"repeatRenderCpuInfo", JsRepeatRender<core::render::RenderCpuInfo>},
    Function{"repeatRenderCpuOnline", JsRepeatRender<core::render::RenderCpuOnline>},
    Function{"repeatRenderDiskStats", JsRepeatRender<core::render::RenderDiskStats>},
    Function{"repeatRenderLoadAverage", JsRepeatRender<core::render::RenderLoadAverage>},
    Function{"repeatRenderMemInfo", JsRepeatRender<core::render::RenderMemInfo>},
    Function{"repeatRenderPressure", JsRepeatRender<core::render::RenderPressure>},
    Function{"repeatRenderStat", JsRepeatRender<core::render::RenderStat>},
    Function{"repeatRenderSwaps", JsRepeatRender<core::render::RenderSwaps>},
    Function{"repeatRenderUptime", JsRepeatRender<core::render::RenderUptime>},
    Function{"repeatRenderVmStat", JsRepeatRender<core::render::RenderVmStat>},
};

}  // namespace

void ExportRepeated(Napi::Object exports) {
  for (const Function& function : kFunctions) Export(exports, function);
}

}  // namespace testing
