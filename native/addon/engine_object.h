// SPDX-License-Identifier: Apache-2.0
// The class `Engine` that JavaScript sees.
//
// Source: src/native/binding.ts declares it.
// Units:  as the names of the properties say.
// Errors: thrown as errors.h makes them; TypeError for arguments of the wrong type.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "addon/session.h"
#include "core/base/result.h"
#include "core/engine/view.h"

namespace addon {

class EngineObject : public Napi::ObjectWrap<EngineObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit EngineObject(const Napi::CallbackInfo& info);

  [[nodiscard]] const std::shared_ptr<Session>& GetSession() const { return session_; }

 private:
  Napi::Value JsShow(const Napi::CallbackInfo& info);
  Napi::Value JsViewName(const Napi::CallbackInfo& info);
  Napi::Value JsViewId(const Napi::CallbackInfo& info);
  Napi::Value JsConfigure(const Napi::CallbackInfo& info);
  Napi::Value JsStatus(const Napi::CallbackInfo& info);
  Napi::Value JsViews(const Napi::CallbackInfo& info);
  Napi::Value JsExplain(const Napi::CallbackInfo& info);
  Napi::Value JsFiles(const Napi::CallbackInfo& info);
  Napi::Value JsServe(const Napi::CallbackInfo& info);
  Napi::Value JsIsServing(const Napi::CallbackInfo& info);
  Napi::Value JsStop(const Napi::CallbackInfo& info);

  // Shared with the worker that stops it: this object may be collected before that is done.
  std::shared_ptr<Session> session_;
};

}  // namespace addon
