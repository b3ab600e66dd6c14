// SPDX-License-Identifier: Apache-2.0
#include "addon/status.h"

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "addon/errors.h"
#include "addon/session.h"
#include "core/base/clock.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "core/engine/engine.h"
#include "core/engine/fallbacks.h"
#include "core/engine/read_stats.h"
#include "fuse/connection.h"
#include "fuse/ring_memory.h"

namespace addon {
namespace {

using core::engine::Engine;
using core::engine::FallbackCause;
using core::engine::Fallbacks;
using core::engine::Outcome;
using core::engine::ReadStats;

constexpr size_t kRingBytesPerCpu =
    fuse_layer::RingMemory::kConnections * fuse_layer::RingMemory::kBytesPerCpu;

double ToUsec(core::Nanoseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

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

// The path of the catalog's `file`; the last index stands for the rest of sysfs.
std::string NameOfFile(size_t file) {
  const auto files = core::catalog::Files();
  return file < files.size() ? std::string(files[file].path) : "sys/devices/system/cpu";
}

Napi::Array ToJsFallbacks(Napi::Env env, const Fallbacks& fallbacks) {
  Napi::Array rows = Napi::Array::New(env);
  for (size_t file = 0; file < Fallbacks::kMaxFiles; ++file) {
    for (size_t cause = 0; cause < static_cast<size_t>(FallbackCause::kCount); ++cause) {
      const uint64_t count = fallbacks.Count(file, static_cast<FallbackCause>(cause));
      if (count == 0) continue;
      Napi::Object row = Napi::Object::New(env);
      row.Set("file", NameOfFile(file));
      row.Set("cause", std::string(NameOf(static_cast<FallbackCause>(cause))));
      row.Set("count", static_cast<double>(count));
      row.Set("lastError",
              ToJsError(env, fallbacks.LastError(static_cast<FallbackCause>(cause))).Message());
      rows.Set(rows.Length(), row);
    }
  }
  return rows;
}

Napi::Array ToJsReads(Napi::Env env, const ReadStats& stats) {
  Napi::Array rows = Napi::Array::New(env);
  for (size_t file = 0; file < Fallbacks::kMaxFiles; ++file) {
    for (size_t outcome = 0; outcome < static_cast<size_t>(Outcome::kCount); ++outcome) {
      const uint64_t count = stats.Count(file, static_cast<Outcome>(outcome));
      if (count == 0) continue;
      Napi::Object row = Napi::Object::New(env);
      row.Set("file", NameOfFile(file));
      row.Set("outcome", std::string(NameOf(static_cast<Outcome>(outcome))));
      row.Set("count", static_cast<double>(count));
      rows.Set(rows.Length(), row);
    }
  }
  return rows;
}

// Bucket k counts what took less than 2^k usec and at least half of that, the last one all others.
Napi::Object ToJsLatency(Napi::Env env, const ReadStats& stats) {
  Napi::Object latency = Napi::Object::New(env);
  Napi::Array buckets = Napi::Array::New(env);
  for (size_t bucket = 0; bucket < ReadStats::kBuckets; ++bucket) {
    buckets.Set(buckets.Length(), static_cast<double>(stats.Bucket(bucket)));
  }
  latency.Set("buckets", buckets);
  latency.Set("sumNsec", static_cast<double>(stats.TookNsec()));
  return latency;
}

Napi::Object ToJsTransport(Napi::Env env, const fuse_layer::TransportReport& report) {
  Napi::Object transport = Napi::Object::New(env);
  transport.Set("kind", report.has_rings ? "ring" : "classic");
  transport.Set("reason", report.why_not);
  transport.Set("cpus", static_cast<double>(report.cpus));
  transport.Set("bytesPerCpu", static_cast<double>(report.has_rings ? kRingBytesPerCpu : 0));
  transport.Set("forced", static_cast<double>(report.forced));
  return transport;
}

Napi::Array ToJsQuarantine(Napi::Env env, const Engine& engine) {
  Napi::Array rows = Napi::Array::New(env);
  for (const auto& left_alone : engine.ListQuarantine()) {
    Napi::Object row = Napi::Object::New(env);
    row.Set("cgroup", left_alone.cgroup);
    row.Set("deaths", static_cast<double>(left_alone.deaths));
    row.Set("leftSec", static_cast<double>(left_alone.left_sec));
    rows.Set(rows.Length(), row);
  }
  return rows;
}

}  // namespace

Napi::Object ToJsStatus(Napi::Env env, Session& session) {
  const Engine& engine = session.GetEngine();
  Napi::Object status = Napi::Object::New(env);
  status.Set("findsById", engine.FindsById());
  status.Set("layout", std::string(NameOf(engine.GetHierarchy().GetLayout())));
  status.Set("controllers", ToJsControllers(env, engine.GetHierarchy()));
  status.Set("views", static_cast<double>(engine.ViewCount()));
  status.Set("transport", ToJsTransport(env, session.Transport()));
  status.Set("handles", static_cast<double>(session.OpenHandles()));
  status.Set("heldDescriptors", static_cast<double>(engine.HeldFds()));
  status.Set("quarantine", ToJsQuarantine(env, engine));
  status.Set("replays", static_cast<double>(session.Replays()));
  status.Set("refusals", static_cast<double>(session.Refusals()));
  status.Set("reads", static_cast<double>(engine.GetReadStats().Total()));
  status.Set("renders", static_cast<double>(engine.GetCounters().renders.load()));
  status.Set("resolves", static_cast<double>(engine.GetCounters().resolves.load()));
  status.Set("memoryLevelReads", static_cast<double>(engine.MemoryLevelReads()));
  status.Set("readsByFile", ToJsReads(env, engine.GetReadStats()));
  status.Set("latency", ToJsLatency(env, engine.GetReadStats()));
  status.Set("samplerLagUsec", ToUsec(engine.TickLag()));
  status.Set("samplerTookUsec", ToUsec(engine.TickTook()));
  status.Set("fallbacks", ToJsFallbacks(env, engine.GetFallbacks()));
  return status;
}

}  // namespace addon
