// SPDX-License-Identifier: Apache-2.0
// The class `WorkerLink` that JavaScript sees.
//
// Source: src/native/worker-link.ts.
// Units:  none.
// Errors: a TypeError for arguments of the wrong type.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/worker_link.h"

namespace addon {

class WorkerLinkObject : public Napi::ObjectWrap<WorkerLinkObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit WorkerLinkObject(const Napi::CallbackInfo& info);

  Napi::Value JsAttach(const Napi::CallbackInfo& info);
  Napi::Value JsSend(const Napi::CallbackInfo& info);
  Napi::Value JsClose(const Napi::CallbackInfo& info);

 private:
  std::shared_ptr<WorkerLink> link_;
};

}  // namespace addon
