// SPDX-License-Identifier: Apache-2.0
// An engine on a captured host, whose clock stands still.
#include "core/engine/engine.h"

#include <sys/types.h>

#include <napi.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "core/base/printable.h"
#include "core/base/result.h"
#include "core/base/view_name.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup_id.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/options.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "core/model/visible_cpus.h"
#include "testing/convert.h"
#include "testing/functions.h"

namespace testing {
namespace {

using core::Result;
using core::engine::Engine;
using core::engine::EngineOptions;
using core::engine::Policy;
using core::engine::ViewRef;

EngineOptions ToOptions(const Napi::Object& object) {
  EngineOptions options;
  options.proc_root = ToText(Get(object, "proc"));
  options.cgroup_root = ToText(Get(object, "cgroup"));
  options.sys_root = ToText(Get(object, "sys"));
  if (const auto boottime = ToU64(Get(object, "boottime_usec"))) {
    options.boottime = std::chrono::microseconds(*boottime);
  }
  return options;
}

// Nothing is passed over in silence: a view that cannot be made is an error.
Policy ToPolicy(const Napi::Object& object) {
  Policy policy;
  policy.on_failure = core::engine::OnFailure::kError;
  if (ToText(Get(object, "cpu_count")) == "cpuset")
    policy.cpu.count = core::model::CpuCount::kCpuset;
  if (ToText(Get(object, "cpu_numbering")) == "virtual") {
    policy.cpu.numbering = core::model::CpuNumbering::kVirtual;
  }
  return policy;
}

// The engine of one captured host, as the class Engine of the addon is for this one.
class CapturedEngine : public Napi::ObjectWrap<CapturedEngine> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env,
                       "Engine",
                       {InstanceMethod<&CapturedEngine::JsRead>("read"),
                        InstanceMethod<&CapturedEngine::JsReadSys>("readSys"),
                        InstanceMethod<&CapturedEngine::JsFiles>("files"),
                        InstanceMethod<&CapturedEngine::JsPageSize>("pageSize"),
                        InstanceMethod<&CapturedEngine::JsLayout>("layout"),
                        InstanceMethod<&CapturedEngine::JsCgroup>("cgroup")});
  }

  // ({proc, cgroup, sys, boottime_usec, cpu_count, cpu_numbering})
  explicit CapturedEngine(const Napi::CallbackInfo& info) : Napi::ObjectWrap<CapturedEngine>(info) {
    const auto object = info[0].As<Napi::Object>();
    auto engine = Engine::Open(ToOptions(object), ToPolicy(object));
    if (engine) {
      engine_ = std::move(*engine);
    } else {
      Throw(info.Env(), engine.error());
    }
  }

 private:
  Result<ViewRef> ViewOf(const Napi::Value& pid) {
    return engine_->ViewOfPid(pid.As<Napi::Number>().Int32Value(), scratch_);
  }

  // (path, pid) -> what the process reads
  Napi::Value JsRead(const Napi::CallbackInfo& info) {
    const auto view = ViewOf(info[1]);
    if (!view) return Throw(info.Env(), view.error());
    const auto file = core::catalog::FindFile(ToText(info[0]));
    if (!file) return info.Env().Null();
    const pid_t pid = info[1].As<Napi::Number>().Int32Value();
    const auto snapshot = engine_->Read(*file, *view, pid, scratch_);
    if (!snapshot) return Throw(info.Env(), snapshot.error());
    return FromText(info.Env(), (*snapshot)->bytes);
  }

  // (path below sys/devices/system/cpu, pid)
  Napi::Value JsReadSys(const Napi::CallbackInfo& info) {
    const auto view = ViewOf(info[1]);
    if (!view) return Throw(info.Env(), view.error());
    const auto snapshot = engine_->ReadSys(ToText(info[0]), *view, scratch_);
    if (!snapshot) return Throw(info.Env(), snapshot.error());
    return FromText(info.Env(), (*snapshot)->bytes);
  }

  // () -> the paths of the files that this host has
  Napi::Value JsFiles(const Napi::CallbackInfo& info) {
    Napi::Array paths = Napi::Array::New(info.Env());
    const auto files = core::catalog::Files();
    for (size_t file = 0; file < files.size(); ++file) {
      if (!engine_->IsAvailable(file)) continue;
      paths.Set(paths.Length(), FromText(info.Env(), files[file].path)).UnwrapOr(false);
    }
    return paths;
  }

  // (path) -> the size in the page cache, 0 for a file that has no place there
  Napi::Value JsPageSize(const Napi::CallbackInfo& info) {
    const auto file = core::catalog::FindFile(ToText(info[0]));
    if (!file) return info.Env().Null();
    return Napi::Number::New(info.Env(), static_cast<double>(engine_->PageSize(*file)));
  }

  Napi::Value JsLayout(const Napi::CallbackInfo& info) {
    return FromText(info.Env(), NameOf(engine_->GetHierarchy().GetLayout()));
  }

  // (pid) -> the path of the container root in its primary hierarchy, "" for the host's root
  Napi::Value JsCgroup(const Napi::CallbackInfo& info) {
    const auto view = ViewOf(info[0]);
    if (!view) return Throw(info.Env(), view.error());
    const auto& primary = (*view)->cgroup.Primary();
    return FromText(info.Env(), primary == nullptr ? std::string() : primary->Path());
  }

  std::unique_ptr<Engine> engine_;
  core::engine::Scratch scratch_;
};

Napi::Value JsViewNameOf(const Napi::CallbackInfo& info) {
  return FromText(info.Env(), core::ViewNameOf(ToText(info[0])));
}

Napi::Value JsCgroupPathOf(const Napi::CallbackInfo& info) {
  const auto path = core::CgroupPathOf(ToText(info[0]));
  return path ? FromText(info.Env(), *path) : info.Env().Null();
}

Napi::Value JsIdOfName(const Napi::CallbackInfo& info) {
  const auto id = core::cgroup::IdOfName(ToText(info[0]));
  return id ? FromText(info.Env(), core::cgroup::NameOfId(*id)) : info.Env().Null();
}

std::string ToBytes(const Napi::Value& value) {
  if (!value.IsBuffer()) return ToText(value);
  const auto buffer = value.As<Napi::Buffer<char>>();
  return {buffer.Data(), buffer.Length()};
}

Napi::Value JsPrintable(const Napi::CallbackInfo& info) {
  return FromText(info.Env(), core::Printable(ToBytes(info[0])));
}

}  // namespace

void ExportEngine(Napi::Object exports) {
  Export(exports, Function{"viewNameOf", JsViewNameOf});
  Export(exports, Function{"cgroupPathOf", JsCgroupPathOf});
  Export(exports, Function{"idOfName", JsIdOfName});
  Export(exports, Function{"printable", JsPrintable});
  exports.Set("Engine", CapturedEngine::Define(exports.Env())).UnwrapOr(false);
}

}  // namespace testing
