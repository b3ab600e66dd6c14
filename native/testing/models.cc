// SPDX-License-Identifier: Apache-2.0
// The model's functions; host files are given as texts.
#include <napi.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/model/disk_view.h"
#include "core/model/load_average.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "testing/convert.h"
#include "testing/functions.h"
#include "testing/records.h"

namespace testing {
namespace {

using core::model::LoadAverage;

Napi::Object ArgumentOf(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsObject() ? info[index].As<Napi::Object>() : Napi::Object::New(info.Env());
}

Napi::Value JsDeriveVisibleCpus(const Napi::CallbackInfo& info) {
  return FromVisibleCpus(info.Env(), ToVisibleCpus(ArgumentOf(info, 0)));
}

// The members of a list that are visible, as the container sees them.
Napi::Value JsShownOf(const Napi::CallbackInfo& info) {
  const auto cpus = ToVisibleCpus(ArgumentOf(info, 0));
  return FromCpuSet(info.Env(), cpus.ShownOf(ToCpuSet(info[1])));
}

Napi::Value JsSmallerQuota(const Napi::CallbackInfo& info) {
  return FromQuota(info.Env(), core::cgroup::SmallerQuota(ToQuota(info[0]), ToQuota(info[1])));
}

// (memory, text of the host's meminfo, policy)
Napi::Value JsDeriveMemoryView(const Napi::CallbackInfo& info) {
  const std::string text = ToText(info[1]);
  const auto host = core::proc::ParseMemInfo(text);
  if (!host) return Throw(info.Env(), host.error());
  const auto memory = ToMemory(ArgumentOf(info, 0));
  const auto policy = ToMemoryPolicy(ArgumentOf(info, 2));
  return FromMemoryView(info.Env(), core::model::DeriveMemoryView(memory, *host, policy));
}

// (text of the host's diskstats, {devices})
Napi::Value JsDeriveDiskRows(const Napi::CallbackInfo& info) {
  const std::string text = ToText(info[0]);
  const auto host = core::proc::ParseDiskStats(text);
  if (!host) return Throw(info.Env(), host.error());
  std::vector<core::cgroup::IoDevice> devices;
  for (const Napi::Object& device : ToObjects(ArgumentOf(info, 1), "devices")) {
    devices.push_back(ToIoDevice(device));
  }
  return FromVector(info.Env(), core::model::DeriveDiskRows(*host, devices), FromDiskRow);
}

Napi::Value FromLoad(Napi::Env env, const LoadAverage& load) {
  const Napi::Object object = Napi::Object::New(env);
  Napi::Array fixed = Napi::Array::New(env);
  Napi::Array hundredths = Napi::Array::New(env);
  for (uint32_t index = 0; index < load.fixed.size(); ++index) {
    fixed.Set(index, FromU64(env, load.fixed[index])).UnwrapOr(false);
    const uint64_t shown = load.Hundredths(static_cast<int>(index));
    hundredths.Set(index, FromU64(env, shown)).UnwrapOr(false);
  }
  Set(object, "fixed", fixed);
  Set(object, "hundredths", hundredths);
  return object;
}

Napi::Value JsSeedLoadAverage(const Napi::CallbackInfo& info) {
  const uint64_t cpu_usec = ToU64(info[0]).value_or(0);
  const uint64_t age_usec = ToU64(info[1]).value_or(0);
  return FromLoad(info.Env(), core::model::SeedLoadAverage(cpu_usec, age_usec));
}

// ([fixed, fixed, fixed], tasks, periods)
Napi::Value JsAdvanceLoadAverage(const Napi::CallbackInfo& info) {
  LoadAverage load;
  const auto fixed = info[0].As<Napi::Array>();
  for (uint32_t index = 0; index < load.fixed.size(); ++index) {
    load.fixed[index] = ToU64(fixed.Get(index).UnwrapOr(info.Env().Undefined())).value_or(0);
  }
  const uint64_t tasks = ToU64(info[1]).value_or(0);
  const uint64_t periods = ToU64(info[2]).value_or(0);
  return FromLoad(info.Env(), core::model::AdvanceLoadAverage(load, tasks, periods));
}

constexpr std::array kFunctions{
    Function{"deriveVisibleCpus", JsDeriveVisibleCpus},
    Function{"shownOf", JsShownOf},
    Function{"smallerQuota", JsSmallerQuota},
    Function{"deriveMemoryView", JsDeriveMemoryView},
    Function{"deriveDiskRows", JsDeriveDiskRows},
    Function{"seedLoadAverage", JsSeedLoadAverage},
    Function{"advanceLoadAverage", JsAdvanceLoadAverage},
};

}  // namespace

void ExportModels(Napi::Object exports) {
  for (const Function& function : kFunctions) Export(exports, function);
}

}  // namespace testing
