// SPDX-License-Identifier: Apache-2.0
#include "addon/options.h"

#include <napi.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "addon/preset.h"
#include "core/base/link.h"
#include "core/catalog/catalog.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "core/engine/policy_rules.h"
#include "core/model/visible_cpus.h"

namespace addon {
namespace {

using core::engine::OnFailure;
using core::model::CpuCount;
using core::model::CpuNumbering;

constexpr std::string_view kSysCpu = "sys/devices/system/cpu";

// Reads properties one by one and keeps the first complaint.
class PropertyReader {
 public:
  PropertyReader(Napi::Object object, std::string& message) : object_(object), message_(message) {}

  [[nodiscard]] bool Has(const char* name) const {
    return object_.Has(name).UnwrapOr(false) && !Get(name).IsUndefined();
  }
  std::string Text(const char* name) {
    const Napi::Value value = Get(name);
    if (value.IsString()) return value.As<Napi::String>().Utf8Value();
    Complain(name, "a string");
    return "";
  }
  bool Boolean(const char* name) {
    const Napi::Value value = Get(name);
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
    Complain(name, "a boolean");
    return false;
  }
  int64_t Count(const char* name) {
    const Napi::Value value = Get(name);
    if (value.IsNumber() && value.As<Napi::Number>().Int64Value() >= 0) {
      return value.As<Napi::Number>().Int64Value();
    }
    Complain(name, "a number, 0 or more");
    return 0;
  }
  std::vector<int> Numbers(const char* name) {
    std::vector<int> numbers;
    const Napi::Value value = Get(name);
    if (!value.IsArray()) Complain(name, "an array of numbers");
    if (!value.IsArray()) return numbers;
    const auto array = value.As<Napi::Array>();
    for (uint32_t index = 0; index < array.Length(); ++index) {
      const Napi::Value number = array.Get(index).UnwrapOr(Napi::Value());
      if (!number.IsNumber()) Complain(name, "an array of numbers");
      numbers.push_back(number.IsNumber() ? number.As<Napi::Number>().Int32Value() : -1);
    }
    return numbers;
  }
  // Paths of the catalog; "sys/devices/system/cpu" is all of that directory.
  core::engine::FileSet Files(const char* name) {
    core::engine::FileSet files;
    const Napi::Value value = Get(name);
    if (!value.IsArray()) Complain(name, "an array of paths");
    if (!value.IsArray()) return files;
    const auto paths = value.As<Napi::Array>();
    for (uint32_t index = 0; index < paths.Length(); ++index) {
      const Napi::Value path = paths.Get(index).UnwrapOr(Napi::Value());
      if (!path.IsString() || !AddFiles(path.As<Napi::String>().Utf8Value(), files)) {
        Complain(name, "paths of virtual files");
      }
    }
    return files;
  }
  // True for `yes`, false for `no`.
  bool Choice(const char* name, const char* yes, const char* no) {
    const std::string text = Text(name);
    if (text != yes && text != no) Complain(name, (std::string(yes) + " or " + no).c_str());
    return text == yes;
  }

 private:
  [[nodiscard]] Napi::Value Get(const char* name) const {
    return object_.Get(name).UnwrapOr(Napi::Value());
  }
  static bool AddFiles(const std::string& path, core::engine::FileSet& files) {
    const auto catalog = core::catalog::Files();
    const bool is_sys = path == kSysCpu;
    if (is_sys) files.set(core::engine::Engine::kSysFile);
    bool is_known = is_sys;
    for (size_t file = 0; file < catalog.size(); ++file) {
      if (catalog[file].path != path && !(is_sys && catalog[file].path.starts_with(kSysCpu))) {
        continue;
      }
      files.set(file);
      is_known = true;
    }
    return is_known;
  }
  void Complain(const char* name, const char* expected) {
    if (message_.empty()) message_ = std::string(name) + ": expected " + expected;
  }

  Napi::Object object_;
  std::string& message_;
};

}  // namespace

bool UpdatePolicy(const Napi::Value& value, core::engine::Policy& policy, std::string& message) {
  if (!value.IsObject()) {
    message = "options: expected an object";
    return false;
  }
  PropertyReader read(value.As<Napi::Object>(), message);
  if (read.Has("freshnessUsec")) {
    policy.freshness = std::chrono::microseconds(read.Count("freshnessUsec"));
  }
  if (read.Has("cpuCount")) {
    policy.cpu.count =
        read.Choice("cpuCount", "quota", "cpuset") ? CpuCount::kQuota : CpuCount::kCpuset;
  }
  if (read.Has("cpuNumbering")) {
    policy.cpu.numbering = read.Choice("cpuNumbering", "physical", "virtual")
                               ? CpuNumbering::kPhysical
                               : CpuNumbering::kVirtual;
  }
  if (read.Has("files")) policy.files = read.Files("files");
  if (read.Has("swap")) policy.swap = read.Boolean("swap");
  if (read.Has("loadavg")) policy.loadavg = read.Boolean("loadavg");
  if (read.Has("onFailure")) {
    policy.on_failure =
        read.Choice("onFailure", "host", "error") ? OnFailure::kHost : OnFailure::kError;
  }
  return message.empty();
}

std::optional<std::vector<core::engine::PolicyRule>> ToPolicyRules(const Napi::Value& options,
                                                                   std::string& message) {
  std::vector<core::engine::PolicyRule> rules;
  const Napi::Value value =
      options.As<Napi::Object>().Get("rules").UnwrapOr(options.Env().Undefined());
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsArray()) {
    message = "rules: expected an array";
    return std::nullopt;
  }
  const auto items = value.As<Napi::Array>();
  for (uint32_t index = 0; index < items.Length(); ++index) {
    const Napi::Value item = items.Get(index).UnwrapOr(Napi::Value());
    // What a rule does not set has the value of the policy it is applied to.
    core::engine::Policy policy;
    if (!UpdatePolicy(item, policy, message)) return std::nullopt;
    PropertyReader read(item.As<Napi::Object>(), message);
    core::engine::PolicyRule rule;
    rule.cgroup = read.Text("cgroup");
    if (read.Has("containerId")) rule.container_id = read.Text("containerId");
    if (read.Has("freshnessUsec")) rule.freshness = policy.freshness;
    if (read.Has("cpuCount")) rule.cpu_count = policy.cpu.count;
    if (read.Has("cpuNumbering")) rule.cpu_numbering = policy.cpu.numbering;
    if (read.Has("swap")) rule.swap = policy.swap;
    if (read.Has("files")) rule.files = policy.files;
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::optional<ServeOptions> ToServeOptions(const Napi::Value& value, std::string& message) {
  if (!value.IsObject()) {
    message = "serve: expected an object";
    return std::nullopt;
  }
  PropertyReader read(value.As<Napi::Object>(), message);
  ServeOptions options{
      .fds = read.Numbers("fds"), .tree = read.Text("tree"), .shared = read.Text("shared")};
  if (message.empty() && options.fds.size() != core::kLinkFdCount) {
    message = "fds: expected " + std::to_string(core::kLinkFdCount) + " numbers";
  }
  if (!message.empty()) return std::nullopt;
  return options;
}

std::string ToPreset(const Napi::Value& options, const Napi::Value& where, std::string& message) {
  if (!where.IsObject()) {
    message = "where: expected an object";
    return "";
  }
  PropertyReader read(where.As<Napi::Object>(), message);
  Preset preset{.version = read.Text("version"),
                .run_dir = read.Text("runDir"),
                .tree = read.Text("tree"),
                .shared = read.Text("shared"),
                .session = {},
                .rules = {}};
  auto session = ToSessionOptions(options, message);
  if (!session) return "";
  auto rules = ToPolicyRules(options, message);
  if (!message.empty()) return "";
  preset.session = std::move(*session);
  if (rules) preset.rules = std::move(*rules);
  return PackPreset(std::move(preset));
}

std::optional<SessionOptions> ToSessionOptions(const Napi::Value& value, std::string& message) {
  SessionOptions options;
  if (!UpdatePolicy(value, options.policy, message)) return std::nullopt;
  PropertyReader read(value.As<Napi::Object>(), message);
  options.engine.proc_root = read.Text("procRoot");
  options.engine.cgroup_root = read.Text("cgroupRoot");
  options.engine.sys_root = read.Text("sysRoot");
  options.engine.views_max = static_cast<size_t>(read.Count("viewsMax"));
  options.handles_max = static_cast<size_t>(read.Count("handlesMax"));
  options.readers = static_cast<size_t>(read.Count("readers"));
  options.wants_rings = read.Has("transport") && read.Choice("transport", "ring", "classic");
  options.engine.pressure_triggers =
      read.Has("pressureTriggers") && read.Boolean("pressureTriggers");
  if (options.engine.views_max == 0 || options.handles_max == 0 || options.readers == 0) {
    if (message.empty()) message = "viewsMax, handlesMax, readers: expected at least 1";
  }
  if (!message.empty()) return std::nullopt;
  return options;
}

}  // namespace addon
