// SPDX-License-Identifier: Apache-2.0
#include "addon/engine_object.h"

#include <napi.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "addon/early_worker.h"
#include "addon/errors.h"
#include "addon/event_channel.h"
#include "addon/options.h"
#include "addon/reports.h"
#include "addon/session.h"
#include "addon/status.h"
#include "core/base/result.h"
#include "core/base/view_name.h"
#include "core/catalog/catalog.h"
#include "core/cgroup/cgroup_id.h"
#include "core/engine/cgroup_index.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "core/engine/sheet_maker.h"
#include "core/engine/view.h"
#include "core/engine/work_record.h"

namespace addon {
namespace {

using core::Result;
using core::engine::ViewRef;

Napi::Value Throw(const Napi::Error& error) {
  error.ThrowAsJavaScriptException();
  return error.Env().Undefined();
}

Napi::Value ThrowType(Napi::Env env, const std::string& message) {
  return Throw(Napi::TypeError::New(env, message));
}

// Joins threads without holding up the event loop.
class StopWorker : public Napi::AsyncWorker {
 public:
  StopWorker(Napi::Env env, std::shared_ptr<Session> session)
      : Napi::AsyncWorker(env),
        session_(std::move(session)),
        done_(Napi::Promise::Deferred::New(env)) {}
  void Execute() override { session_->Stop(); }
  void OnOK() override { done_.Resolve(Env().Undefined()); }
  [[nodiscard]] Napi::Promise Promise() const { return done_.Promise(); }

 private:
  std::shared_ptr<Session> session_;
  Napi::Promise::Deferred done_;
};

// The view that `target` ({pid} or {cgroup}) names.
Result<ViewRef> FindTarget(Session& session, const Napi::Object& target) {
  const Napi::Value pid = target.Get("pid").UnwrapOr(Napi::Value());
  if (pid.IsNumber()) {
    return session.GetEngine().ViewOfPid(pid.As<Napi::Number>().Int32Value(), session.GetScratch());
  }
  const Napi::Value cgroup = target.Get("cgroup").UnwrapOr(Napi::Value());
  if (cgroup.IsString()) {
    return session.GetEngine().ViewOfCgroup(cgroup.As<Napi::String>().Utf8Value(),
                                            session.GetScratch());
  }
  return core::Error{
      .errno_value = EINVAL, .operation = "show", .path = "target: expected pid or cgroup"};
}

// The index of a file that this host has.
Result<size_t> FindFile(Session& session, const std::string& path) {
  const auto file = core::catalog::FindFile(path);
  if (file && session.GetEngine().IsAvailable(*file)) return *file;
  return core::Error{.errno_value = ENOENT, .operation = "show", .path = path};
}

}  // namespace

Napi::Function EngineObject::Define(Napi::Env env) {
  return DefineClass(env,
                     "Engine",
                     {InstanceMethod<&EngineObject::JsShow>("show"),
                      InstanceMethod<&EngineObject::JsViewName>("viewName"),
                      InstanceMethod<&EngineObject::JsViewId>("viewId"),
                      InstanceMethod<&EngineObject::JsConfigure>("configure"),
                      InstanceMethod<&EngineObject::JsStatus>("status"),
                      InstanceMethod<&EngineObject::JsViews>("views"),
                      InstanceMethod<&EngineObject::JsExplain>("explain"),
                      InstanceMethod<&EngineObject::JsFiles>("files"),
                      InstanceMethod<&EngineObject::JsServe>("serve"),
                      InstanceMethod<&EngineObject::JsIsServing>("isServing"),
                      InstanceMethod<&EngineObject::JsStop>("stop")});
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineObject>(info) {
  std::string message;
  const auto options = ToSessionOptions(info[0], message);
  if (!options) {
    ThrowType(info.Env(), message);
    return;
  }
  EarlyWorker* const early = EarlyWorker::Get();
  if (early != nullptr) session_ = early->TakeSession();
  if (session_ != nullptr) {
    // Node.js resets all signal handlers at its start, so they are installed again.
    core::engine::RecordFailures();
    return;
  }
  auto session = Session::Open(*options);
  if (!session) {
    Throw(ToJsError(info.Env(), session.error()));
    return;
  }
  const auto rules = ToPolicyRules(info[0], message);
  if (!message.empty()) {
    ThrowType(info.Env(), message);
    return;
  }
  session_ = std::move(*session);
  if (rules) session_->GetEngine().SetPolicyRules(*rules);
}

Napi::Value EngineObject::JsShow(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsObject()) {
    return ThrowType(info.Env(), "show: expected a path and a target");
  }
  const std::string path = info[0].As<Napi::String>().Utf8Value();
  const auto file = FindFile(*session_, path);
  if (!file) return Throw(ToJsError(info.Env(), file.error()));
  const auto view = FindTarget(*session_, info[1].As<Napi::Object>());
  if (!view) return Throw(ToJsError(info.Env(), view.error()));
  const auto snapshot =
      session_->GetEngine().Read(*file, *view, (*view)->init.pid, session_->GetScratch());
  if (!snapshot) return Throw(ToJsError(info.Env(), snapshot.error()));
  return Napi::String::New(info.Env(), (*snapshot)->bytes);
}

Napi::Value EngineObject::JsViewName(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) return ThrowType(info.Env(), "viewName: expected a target");
  const auto view = FindTarget(*session_, info[0].As<Napi::Object>());
  if (!view) return Throw(ToJsError(info.Env(), view.error()));
  const auto& primary = (*view)->cgroup.Primary();
  if (primary == nullptr) return info.Env().Null();
  return Napi::String::New(info.Env(), core::ViewNameOf(primary->Path()));
}

Napi::Value EngineObject::JsViewId(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) return ThrowType(info.Env(), "viewId: expected a target");
  const auto view = FindTarget(*session_, info[0].As<Napi::Object>());
  if (!view) return Throw(ToJsError(info.Env(), view.error()));
  const auto id = core::engine::IdOf(**view);
  if (!id) return info.Env().Null();
  return Napi::String::New(info.Env(), core::cgroup::NameOfId(*id));
}

Napi::Value EngineObject::JsConfigure(const Napi::CallbackInfo& info) {
  core::engine::Policy policy = *session_->GetEngine().GetPolicy();
  std::string message;
  if (!UpdatePolicy(info[0], policy, message)) return ThrowType(info.Env(), message);
  const auto rules = ToPolicyRules(info[0], message);
  if (!message.empty()) return ThrowType(info.Env(), message);
  if (rules) session_->GetEngine().SetPolicyRules(*rules);
  session_->GetEngine().SetPolicy(policy);
  return info.Env().Undefined();
}

Napi::Value EngineObject::JsStatus(const Napi::CallbackInfo& info) {
  return ToJsStatus(info.Env(), *session_);
}

Napi::Value EngineObject::JsViews(const Napi::CallbackInfo& info) {
  return ReportViews(info.Env(), session_);
}

Napi::Value EngineObject::JsExplain(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsObject()) {
    return ThrowType(info.Env(), "explain: expected a path and a target");
  }
  const auto file = FindFile(*session_, info[0].As<Napi::String>().Utf8Value());
  if (!file) return Throw(ToJsError(info.Env(), file.error()));
  const auto view = FindTarget(*session_, info[1].As<Napi::Object>());
  if (!view) return Throw(ToJsError(info.Env(), view.error()));
  core::engine::Scratch scratch;
  const auto explanation = session_->GetEngine().Explain(*file, *view, scratch);
  if (!explanation) return Throw(ToJsError(info.Env(), explanation.error()));
  return ToJsExplanation(info.Env(), *explanation);
}

Napi::Value EngineObject::JsFiles(const Napi::CallbackInfo& info) {
  const auto files = core::catalog::Files();
  Napi::Array paths = Napi::Array::New(info.Env());
  for (size_t file = 0; file < files.size(); ++file) {
    if (!session_->GetEngine().IsAvailable(file)) continue;
    paths.Set(paths.Length(), Napi::String::New(info.Env(), std::string(files[file].path)));
  }
  return paths;
}

Napi::Value EngineObject::JsServe(const Napi::CallbackInfo& info) {
  std::string message;
  auto options = ToServeOptions(info[0], message);
  if (!options) return ThrowType(info.Env(), message);
  if (!info[1].IsFunction()) return ThrowType(info.Env(), "serve: expected a function");
  const auto events = EventChannel::Open(info.Env(), info[1].As<Napi::Function>());
  const auto status = session_->Serve(std::move(*options), [events](int errno_value) {
    events->Send({.level = "error",
                  .code = "connection_lost",
                  .message = "The mount was taken away from outside",
                  .errno_value = errno_value});
  });
  if (!status) return Throw(ToJsError(info.Env(), status.error()));
  return info.Env().Undefined();
}

Napi::Value EngineObject::JsIsServing(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), session_->IsServing());
}

Napi::Value EngineObject::JsStop(const Napi::CallbackInfo& info) {
  auto* const worker = new StopWorker(info.Env(), session_);  // deletes itself when it is done
  const Napi::Promise promise = worker->Promise();
  worker->Queue();
  return promise;
}

}  // namespace addon
