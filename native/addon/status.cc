// SPDX-License-Identifier: Apache-2.0
#include "addon/status.h"

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "addon/errors.h"
#include "addon/session.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/engine.h"
#include "core/engine/fallbacks.h"

namespace addon {
namespace {

using core::engine::Engine;
using core::engine::FallbackCause;
using core::engine::Fallbacks;

Napi::Object ToJsControllers(Napi::Env env, const core::cgroup::Hierarchy& hierarchy) {
  using core::cgroup::Version;
  Napi::Object controllers = Napi::Object::New(env);
  for (const auto controller : core::cgroup::kControllers) {
    const std::string_view v1_name = NameInV1(controller);
    const std::string name(v1_name.empty() ? "unified" : v1_name);
    const Version version = hierarchy.VersionOf(controller);
    controllers.Set(name,
                    version == Version::kNone ? "none"
                    : version == Version::kV1 ? "v1"
                                              : "v2");
  }
  return controllers;
}

Napi::Array ToJsFallbacks(Napi::Env env, const Fallbacks& fallbacks) {
  Napi::Array rows = Napi::Array::New(env);
  const auto files = core::catalog::Files();
  for (size_t file = 0; file < Fallbacks::kMaxFiles; ++file) {
    for (size_t cause = 0; cause < static_cast<size_t>(FallbackCause::kCount); ++cause) {
      const uint64_t count = fallbacks.Count(file, static_cast<FallbackCause>(cause));
      if (count == 0) continue;
      Napi::Object row = Napi::Object::New(env);
      row.Set("file",
              file < files.size() ? std::string(files[file].path) : "sys/devices/system/cpu");
      row.Set("cause", std::string(NameOf(static_cast<FallbackCause>(cause))));
      row.Set("count", static_cast<double>(count));
      row.Set("lastError",
              ToJsError(env, fallbacks.LastError(static_cast<FallbackCause>(cause))).Message());
      rows.Set(rows.Length(), row);
    }
  }
  return rows;
}

}  // namespace

Napi::Object ToJsStatus(Napi::Env env, Session& session) {
  const Engine& engine = session.GetEngine();
  Napi::Object status = Napi::Object::New(env);
  status.Set("layout", std::string(NameOf(engine.GetHierarchy().GetLayout())));
  status.Set("controllers", ToJsControllers(env, engine.GetHierarchy()));
  status.Set("views", static_cast<double>(engine.ViewCount()));
  status.Set("handles", static_cast<double>(session.OpenHandles()));
  status.Set("heldDescriptors", static_cast<double>(engine.HeldFds()));
  status.Set("reads", static_cast<double>(engine.GetCounters().reads.load()));
  status.Set("renders", static_cast<double>(engine.GetCounters().renders.load()));
  status.Set("fallbacks", ToJsFallbacks(env, engine.GetFallbacks()));
  return status;
}

}  // namespace addon
