// SPDX-License-Identifier: Apache-2.0
#include "addon/attach_functions.h"

#include <sys/types.h>

#include <napi.h>

#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "addon/errors.h"
#include "attach/attachment.h"
#include "attach/file_set.h"
#include "attach/process.h"
#include "attach/source.h"
#include "core/base/result.h"
#include "core/cgroup/cgroup_id.h"

namespace addon {
namespace {

using attach::Outcome;
using attach::Process;
using core::Error;
using core::Result;

using Work = std::function<Result<Outcome>(const Process&)>;

Napi::Array ToArray(Napi::Env env, const std::vector<std::string>& texts) {
  Napi::Array array = Napi::Array::New(env, texts.size());
  for (size_t index = 0; index < texts.size(); ++index) {
    array.Set(static_cast<uint32_t>(index), Napi::String::New(env, texts[index]));
  }
  return array;
}

Napi::Object ToObject(Napi::Env env, const Outcome& outcome) {
  Napi::Array left = Napi::Array::New(env);
  for (const attach::Left& each : outcome.left) {
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("path", Napi::String::New(env, each.path));
    entry.Set("reason", Napi::String::New(env, each.reason));
    left.Set(left.Length(), entry);
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("done", ToArray(env, outcome.done));
  object.Set("already", ToArray(env, outcome.already));
  object.Set("left", left);
  return object;
}

// Works on a thread that ends afterwards, since it stays in the container's namespace.
class NamespaceWorker : public Napi::AsyncWorker {
 public:
  NamespaceWorker(Napi::Env env, pid_t pid, Work work)
      : Napi::AsyncWorker(env),
        pid_(pid),
        work_(std::move(work)),
        done_(Napi::Promise::Deferred::New(env)) {}

  void Execute() override {
    std::thread thread([this] {
      const auto process = Process::Open(pid_);
      if (process) {
        result_ = work_(*process);
      } else {
        result_ = process.error();
      }
    });
    thread.join();
  }
  void OnOK() override {
    if (result_) return done_.Resolve(ToObject(Env(), *result_));
    done_.Reject(ToJsError(Env(), result_.error()).Value());
  }
  [[nodiscard]] Napi::Promise Promise() const { return done_.Promise(); }

 private:
  const pid_t pid_;
  const Work work_;
  Result<Outcome> result_ = core::Error{};
  const Napi::Promise::Deferred done_;
};

std::optional<std::string> TextOf(const Napi::Value& value) {
  if (!value.IsString()) return std::nullopt;
  return value.As<Napi::String>().Utf8Value();
}

std::optional<attach::Places> ToPlaces(const Napi::Value& value) {
  if (!value.IsObject()) return std::nullopt;
  const auto object = value.As<Napi::Object>();
  const auto tree = TextOf(object.Get("tree").UnwrapOr(Napi::Value()));
  const auto run_dir = TextOf(object.Get("runDir").UnwrapOr(Napi::Value()));
  if (!tree || !run_dir) return std::nullopt;
  attach::Places places{.tree = *tree, .run_dir = *run_dir, .view = std::nullopt};
  const auto view = TextOf(object.Get("view").UnwrapOr(Napi::Value()));
  const auto name = TextOf(object.Get("name").UnwrapOr(Napi::Value()));
  const auto cgroup = core::cgroup::IdOfName(view.value_or(""));
  if (cgroup) places.view = attach::ViewPlace{.cgroup = *cgroup, .name = name.value_or("")};
  return places;
}

Napi::Value ThrowType(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value Start(const Napi::CallbackInfo& info, Work work) {
  // As an integer of 32 bits, 2^32 + 1 would be process 1.
  const double number = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  constexpr double kLargest = 4194304;  // PID_MAX_LIMIT
  if (number < 1 || number > kLargest || number != std::floor(number)) {
    return ThrowType(info.Env(), "Expected a process id");
  }
  const auto pid = static_cast<pid_t>(number);
  // Deletes itself when it is done.
  auto* const worker = new NamespaceWorker(info.Env(), pid, std::move(work));
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

// Throws when `value` is no list of files.
std::optional<attach::FileSet> ToFiles(Napi::Env env, const Napi::Value& value) {
  const auto text = TextOf(value);
  if (!text) {
    ThrowType(env, "Expected a list of files");
    return std::nullopt;
  }
  const auto files = attach::ParseFileSet(*text);
  if (files) return *files;
  ToJsError(env, files.error()).ThrowAsJavaScriptException();
  return std::nullopt;
}

Napi::Value JsAttach(const Napi::CallbackInfo& info) {
  const auto places = ToPlaces(info[1]);
  if (!places) return ThrowType(info.Env(), "attach: expected places");
  const auto files = ToFiles(info.Env(), info[2]);
  if (!files) return info.Env().Undefined();
  return Start(info, [places = *places, files = *files](const Process& process) -> Result<Outcome> {
    const auto shares_pids = process.SharesPids();
    if (!shares_pids) return shares_pids.error();
    if (*shares_pids) {
      return Error{.errno_value = EXDEV,
                   .operation = "give a view without a pid namespace",
                   .path = "/proc"};
    }
    return attach::Attach({.process = &process, .root = ""}, places, files);
  });
}

Napi::Value JsDetach(const Napi::CallbackInfo& info) {
  const auto files = ToFiles(info.Env(), info[1]);
  if (!files) return info.Env().Undefined();
  return Start(info,
               [files = *files](const Process& process) { return attach::Detach(process, files); });
}

Napi::Value JsRepair(const Napi::CallbackInfo& info) {
  const auto places = ToPlaces(info[1]);
  if (!places) return ThrowType(info.Env(), "repair: expected places");
  return Start(
      info, [places = *places](const Process& process) { return attach::Repair(process, places); });
}

Napi::Value JsExamine(const Napi::CallbackInfo& info) {
  return Start(info, [](const Process& process) { return attach::Examine(process); });
}

Napi::Value JsAttachable(const Napi::CallbackInfo& info) {
  const auto files = ToFiles(info.Env(), info[0]);
  if (!files) return info.Env().Undefined();
  std::vector<std::string> paths;
  for (size_t index = 0; index < attach::kItems.size(); ++index) {
    if (files->test(index)) paths.emplace_back(attach::kItems[index].path);
  }
  return ToArray(info.Env(), paths);
}

}  // namespace

void ExportAttachFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("attach", Napi::Function::New(env, JsAttach, "attach"));
  exports.Set("detach", Napi::Function::New(env, JsDetach, "detach"));
  exports.Set("repair", Napi::Function::New(env, JsRepair, "repair"));
  exports.Set("examine", Napi::Function::New(env, JsExamine, "examine"));
  exports.Set("attachable", Napi::Function::New(env, JsAttachable, "attachable"));
}

}  // namespace addon
