// SPDX-License-Identifier: Apache-2.0
#include "addon/worker_link_object.h"

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "addon/arguments.h"
#include "addon/early_worker.h"
#include "addon/engine_object.h"
#include "addon/worker_link.h"
#include "core/base/fd.h"
#include "core/base/link.h"

namespace addon {
namespace {

using core::LinkMessage;

constexpr size_t kQueuedEventsMax = 16;

struct NamedMessage {
  const char* name;
  LinkMessage message;
};
constexpr NamedMessage kMessages[] = {
    {.name = "serving", .message = LinkMessage::kServing},
    {.name = "stopWanted", .message = LinkMessage::kStopWanted},
    {.name = "started", .message = LinkMessage::kStarted},
    {.name = "lost", .message = LinkMessage::kLost},
    {.name = "logLevel", .message = LinkMessage::kLogLevel},
    {.name = "problems", .message = LinkMessage::kProblems},
};

const char* NameOf(WorkerLink::Event event) {
  switch (event) {
    case WorkerLink::Event::kServe:
      return "serve";
    case WorkerLink::Event::kReleased:
      return "released";
    case WorkerLink::Event::kOrphaned:
      return "orphaned";
    case WorkerLink::Event::kAdopted:
      return "adopted";
  }
  return "";
}

// Keeps the process alive as long as the link does.
WorkerLink::Listener ToListener(Napi::Env env, Napi::Function function) {
  auto channel = Napi::ThreadSafeFunction::New(env, function, "lensfs link", kQueuedEventsMax, 1);
  const auto owner = std::shared_ptr<Napi::ThreadSafeFunction>(
      new Napi::ThreadSafeFunction(channel), [](Napi::ThreadSafeFunction* owned) {
        owned->Release();
        delete owned;
      });
  return [owner](WorkerLink::Event event, uint32_t value) {
    (void)owner->NonBlockingCall([event, value](Napi::Env js, Napi::Function listener) {
      if (js == nullptr || listener.IsEmpty()) return;
      listener.Call({Napi::String::New(js, NameOf(event)), Napi::Number::New(js, value)});
    });
  };
}

}  // namespace

Napi::Function WorkerLinkObject::Define(Napi::Env env) {
  return DefineClass(env,
                     "WorkerLink",
                     {InstanceMethod<&WorkerLinkObject::JsAttach>("attach"),
                      InstanceMethod<&WorkerLinkObject::JsSend>("send"),
                      InstanceMethod<&WorkerLinkObject::JsClose>("close")});
}

WorkerLinkObject::WorkerLinkObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<WorkerLinkObject>(info) {
  Arguments arguments(info);
  std::string run_dir = arguments.Text("run directory");
  if (!arguments.IsGood()) return;
  if (!info[1].IsFunction()) {
    Napi::TypeError::New(info.Env(), "listener: expected a function").ThrowAsJavaScriptException();
    return;
  }
  auto listener = ToListener(info.Env(), info[1].As<Napi::Function>());
  EarlyWorker* const early = EarlyWorker::Get();
  link_ = early != nullptr
              ? early->TakeLink(std::move(listener))
              : std::make_shared<WorkerLink>(
                    core::Fd(core::kWorkerLinkFd), std::move(run_dir), std::move(listener));
}

Napi::Value WorkerLinkObject::JsAttach(const Napi::CallbackInfo& info) {
  EngineObject* const engine =
      info[0].IsObject() ? EngineObject::Unwrap(info[0].As<Napi::Object>()) : nullptr;
  if (engine != nullptr && link_ != nullptr) link_->Attach(engine->GetSession());
  return info.Env().Undefined();
}

Napi::Value WorkerLinkObject::JsSend(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const std::string name = arguments.Text("message");
  const int value = arguments.Number("value");
  if (!arguments.IsGood() || link_ == nullptr) return {};
  for (const NamedMessage& known : kMessages) {
    if (name == known.name) link_->Send(known.message, static_cast<uint32_t>(value));
  }
  return info.Env().Undefined();
}

Napi::Value WorkerLinkObject::JsClose(const Napi::CallbackInfo& info) {
  if (link_ != nullptr) link_->Stop();
  link_.reset();
  if (EarlyWorker* const early = EarlyWorker::Get()) early->DropListener();
  return info.Env().Undefined();
}

}  // namespace addon
