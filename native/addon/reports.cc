// SPDX-License-Identifier: Apache-2.0
#include "addon/reports.h"

#include <napi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/session.h"
#include "core/base/read_log.h"
#include "core/base/view_name.h"
#include "core/cgroup/memory_neighbours.h"
#include "core/engine/engine.h"
#include "core/engine/explanation.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view_report.h"

namespace addon {
namespace {

using core::engine::ViewReport;

Napi::Value ToJs(Napi::Env env, const std::optional<uint64_t>& value) {
  if (!value) return env.Null();
  return Napi::Number::New(env, static_cast<double>(*value));
}

// null for an empty text.
Napi::Value ToJsText(Napi::Env env, const std::string& text) {
  if (text.empty()) return env.Null();
  return Napi::String::New(env, text);
}

Napi::Value ToJsQuota(Napi::Env env, const ViewReport& report) {
  if (!report.quota || report.quota->period_usec == 0) return env.Null();
  return Napi::Number::New(env,
                           static_cast<double>(report.quota->quota_usec) /
                               static_cast<double>(report.quota->period_usec));
}

Napi::Value ToJsLoad(Napi::Env env, const ViewReport& report) {
  if (!report.load_hundredths) return env.Null();
  Napi::Array load = Napi::Array::New(env);
  for (const uint64_t hundredths : *report.load_hundredths) {
    load.Set(load.Length(), static_cast<double>(hundredths) / 100);
  }
  return load;
}

// A share in hundredths of a percent as percent.
Napi::Value ToJsPercent(Napi::Env env, const std::optional<uint64_t>& share) {
  if (!share) return env.Null();
  return Napi::Number::New(env, static_cast<double>(*share) / 100);
}

Napi::Object ToJsReport(Napi::Env env, const ViewReport& report) {
  Napi::Object view = Napi::Object::New(env);
  view.Set("id", core::ViewNameOf(report.cgroup));
  view.Set("serial", static_cast<double>(report.serial));
  view.Set("cgroup", report.cgroup);
  view.Set("initPid", static_cast<double>(report.init_pid));
  view.Set("ageSec", static_cast<double>(report.age_usec) / 1e6);
  view.Set("idleSec", static_cast<double>(report.idle_usec) / 1e6);
  view.Set("reads", static_cast<double>(report.reads));
  view.Set("hits", static_cast<double>(report.hits));
  view.Set("readers", static_cast<double>(report.readers));
  view.Set("memoryLimitBytes", ToJs(env, report.memory_limit_bytes));
  view.Set("memoryTotalBytes", ToJs(env, report.memory_total_bytes));
  view.Set("memoryUsageBytes", ToJs(env, report.memory_usage_bytes));
  view.Set("memoryAvailableBytes", ToJs(env, report.memory_available_bytes));
  view.Set("memoryRoomLevel", ToJsText(env, report.memory_room_level));
  view.Set("swapTotalBytes", ToJs(env, report.swap_total_bytes));
  view.Set("swapUsageBytes", ToJs(env, report.swap_usage_bytes));
  view.Set("cpus", report.cpus);
  view.Set("cpuCount", static_cast<double>(report.cpu_count));
  view.Set("cpuQuota", ToJsQuota(env, report));
  view.Set("userUsec", ToJs(env, report.user_usec));
  view.Set("systemUsec", ToJs(env, report.system_usec));
  view.Set("throttledUsec", ToJs(env, report.throttled_usec));
  view.Set("tasks", ToJs(env, report.tasks));
  view.Set("load", ToJsLoad(env, report));
  view.Set("pressureCpuPercent", ToJsPercent(env, report.pressure_cpu));
  view.Set("pressureMemoryPercent", ToJsPercent(env, report.pressure_memory));
  view.Set("pressureIoPercent", ToJsPercent(env, report.pressure_io));
  view.Set("hasOwnPolicy", report.has_own_policy);
  view.Set("problem", report.problem);
  return view;
}

// Serials of views are smaller.
constexpr uint64_t kQuarantineSerials = uint64_t{1} << 48;

// Hundreds of views are thousands of reads, which must not hold up the event loop.
class ReportWorker : public Napi::AsyncWorker {
 public:
  ReportWorker(Napi::Env env, std::shared_ptr<Session> session)
      : Napi::AsyncWorker(env),
        session_(std::move(session)),
        done_(Napi::Promise::Deferred::New(env)) {}

  void Execute() override {
    core::engine::Engine& engine = session_->GetEngine();
    core::engine::Scratch scratch;
    const auto readers = engine.CountReaders();
    for (const auto& view : engine.Views()) {
      ViewReport report = engine.Report(view, scratch);
      const auto found = readers.find(view.get());
      if (found != readers.end()) report.readers = found->second;
      reports_.push_back(std::move(report));
    }
    for (const auto& left_alone : engine.ListQuarantine()) {
      ViewReport report;
      report.serial = kQuarantineSerials + left_alone.slot;
      report.cgroup = left_alone.cgroup;
      report.problem = "in quarantine for " + std::to_string(left_alone.left_sec) +
                       " s more: a worker crashed or hung while it read this cgroup";
      reports_.push_back(std::move(report));
    }
  }

  void OnOK() override {
    const Napi::HandleScope scope(Env());
    Napi::Array views = Napi::Array::New(Env());
    for (const ViewReport& report : reports_) {
      views.Set(views.Length(), ToJsReport(Env(), report));
    }
    done_.Resolve(views);
  }

  [[nodiscard]] Napi::Promise Promise() const { return done_.Promise(); }

 private:
  std::shared_ptr<Session> session_;
  std::vector<ViewReport> reports_;
  Napi::Promise::Deferred done_;
};

}  // namespace

Napi::Value ReportViews(Napi::Env env, std::shared_ptr<Session> session) {
  auto* const worker = new ReportWorker(env, std::move(session));  // deletes itself
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

namespace {

Napi::Array ToJsNeighbours(Napi::Env env, const std::vector<core::cgroup::MemoryNeighbour>& all) {
  Napi::Array neighbours = Napi::Array::New(env);
  for (const core::cgroup::MemoryNeighbour& each : all) {
    Napi::Object neighbour = Napi::Object::New(env);
    neighbour.Set("name", each.name);
    neighbour.Set("usageBytes", static_cast<double>(each.usage_bytes));
    neighbour.Set("minBytes", static_cast<double>(each.min_bytes));
    neighbour.Set("lowBytes", static_cast<double>(each.low_bytes));
    neighbours.Set(neighbours.Length(), neighbour);
  }
  return neighbours;
}

Napi::Array ToJsLevels(Napi::Env env, const core::engine::Explanation& explanation) {
  Napi::Array levels = Napi::Array::New(env);
  for (const core::cgroup::MemoryLevelReport& each : explanation.memory_levels) {
    Napi::Object level = Napi::Object::New(env);
    level.Set("cgroup", each.path);
    level.Set("limitBytes", ToJs(env, each.level.limit_bytes));
    level.Set("highBytes", ToJs(env, each.level.high_bytes));
    level.Set("usageBytes", static_cast<double>(each.level.usage_bytes));
    level.Set("reclaimableBytes", static_cast<double>(each.level.reclaimable_bytes));
    level.Set("freeBytes", ToJs(env, each.room.free_bytes));
    level.Set("availableBytes", ToJs(env, each.room.available_bytes));
    level.Set("swapFreeBytes", ToJs(env, each.room.swap_free_bytes));
    level.Set("memswFreeBytes", ToJs(env, each.room.memsw_free_bytes));
    level.Set("neighbours", static_cast<double>(each.neighbours.count));
    level.Set("hasMoreNeighbours", each.neighbours.has_more);
    level.Set("largest", ToJsNeighbours(env, each.neighbours.largest));
    level.Set("protecting", ToJsNeighbours(env, each.neighbours.protecting));
    levels.Set(levels.Length(), level);
  }
  return levels;
}

}  // namespace

Napi::Object ToJsExplanation(Napi::Env env, const core::engine::Explanation& explanation) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("text", explanation.text);
  result.Set("hostText", explanation.host_text);
  result.Set("isHosts", explanation.is_hosts);
  result.Set("isOff", explanation.is_off);
  result.Set("cgroup", explanation.cgroup);
  result.Set("initPid", static_cast<double>(explanation.init_pid));
  result.Set("ageUsec", static_cast<double>(explanation.age_usec));
  result.Set("cpus", explanation.cpus);
  Napi::Array inputs = Napi::Array::New(env);
  for (const core::ReadText& read : explanation.inputs) {
    Napi::Object input = Napi::Object::New(env);
    input.Set("path", read.path);
    input.Set("text", read.text);
    inputs.Set(inputs.Length(), input);
  }
  result.Set("inputs", inputs);
  result.Set("memoryLevels", ToJsLevels(env, explanation));
  return result;
}

}  // namespace addon
