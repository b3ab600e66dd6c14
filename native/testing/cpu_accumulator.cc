// SPDX-License-Identifier: Apache-2.0
// core::model::CpuAccumulator as a JavaScript class.
#include <napi.h>

#include <cstdint>
#include <vector>

#include "core/model/cpu_time.h"
#include "testing/convert.h"
#include "testing/functions.h"
#include "testing/records.h"

namespace testing {
namespace {

class CpuAccumulator : public Napi::ObjectWrap<CpuAccumulator> {
 public:
  explicit CpuAccumulator(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<CpuAccumulator>(info) {}

  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env,
                       "CpuAccumulator",
                       {InstanceMethod<&CpuAccumulator::JsAdvance>("advance"),
                        InstanceMethod<&CpuAccumulator::JsRead>("read"),
                        InstanceMethod<&CpuAccumulator::JsRestart>("restart")});
  }

 private:
  // ({boottime_usec, age_usec, usage}, cpus)
  Napi::Value JsAdvance(const Napi::CallbackInfo& info) {
    const auto object = info[0].As<Napi::Object>();
    const core::model::CpuSample sample{
        .boottime_usec = ToU64(Get(object, "boottime_usec")).value_or(0),
        .age_usec = ToU64(Get(object, "age_usec")).value_or(0),
        .usage = ToCpuUsage(ToObject(object, "usage"))};
    accumulator_.Advance(sample, ToVisibleCpus(info[1].As<Napi::Object>()));
    return info.Env().Undefined();
  }

  // (cpus)
  Napi::Value JsRead(const Napi::CallbackInfo& info) {
    return FromCpuTimes(info.Env(), accumulator_.Read(ToVisibleCpus(info[0].As<Napi::Object>())));
  }

  // (): goes on from what another process would find.
  Napi::Value JsRestart(const Napi::CallbackInfo& info) {
    std::vector<uint64_t> words(core::model::CpuAccumulator::WordsFor(accumulator_.CpuCount()));
    accumulator_.Save(words);
    accumulator_ = {};
    accumulator_.Restore(words);
    return info.Env().Undefined();
  }

  core::model::CpuAccumulator accumulator_;
};

}  // namespace

void ExportCpuAccumulator(Napi::Object exports) {
  Set(exports, "CpuAccumulator", CpuAccumulator::Define(exports.Env()));
}

}  // namespace testing
