// SPDX-License-Identifier: Apache-2.0
// Every renderer as a function of one object: the sheet, with the host's files as texts.
#include <napi.h>

#include <array>
#include <string>

#include "core/base/write_text.h"
#include "core/render/render.h"
#include "testing/convert.h"
#include "testing/functions.h"
#include "testing/sheet_inputs.h"

namespace testing {
namespace {

template <auto kRender>
Napi::Value JsRender(const Napi::CallbackInfo& info) {
  Inputs inputs;
  if (!ReadInputs(info[0].As<Napi::Object>(), inputs)) return info.Env().Undefined();
  std::string text;
  core::TextWriter out(text);
  kRender(inputs.sheet, out);
  return FromText(info.Env(), text);
}

constexpr std::array kFunctions{
    Function{"renderCpuInfo", JsRender<core::render::RenderCpuInfo>},
    Function{"renderCpuOffline", JsRender<core::render::RenderCpuOffline>},
    Function{"renderCpuOnline", JsRender<core::render::RenderCpuOnline>},
    Function{"renderDiskStats", JsRender<core::render::RenderDiskStats>},
    Function{"renderLoadAverage", JsRender<core::render::RenderLoadAverage>},
    Function{"renderMemInfo", JsRender<core::render::RenderMemInfo>},
    Function{"renderPressure", JsRender<core::render::RenderPressure>},
    Function{"renderSlabInfo", JsRender<core::render::RenderSlabInfo>},
    Function{"renderStat", JsRender<core::render::RenderStat>},
    Function{"renderSwaps", JsRender<core::render::RenderSwaps>},
    Function{"renderUptime", JsRender<core::render::RenderUptime>},
    Function{"renderVmStat", JsRender<core::render::RenderVmStat>},
};

}  // namespace

void ExportRenderers(Napi::Object exports) {
  for (const Function& function : kFunctions) Export(exports, function);
}

}  // namespace testing
