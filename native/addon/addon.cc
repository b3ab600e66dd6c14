// SPDX-License-Identifier: Apache-2.0
// The module that JavaScript loads.
#include <napi.h>

#include "addon/attach_functions.h"
#include "addon/engine_object.h"
#include "addon/mount_functions.h"
#include "addon/peer.h"
#include "addon/process_functions.h"
#include "addon/worker_link_object.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", addon::EngineObject::Define(env));
  exports.Set("WorkerLink", addon::WorkerLinkObject::Define(env));
  addon::DefineMountFunctions(env, exports);
  addon::DefineProcessFunctions(env, exports);
  addon::ExportAttachFunctions(env, exports);
  exports.Set("peerOf", Napi::Function::New(env, addon::JsPeerOf));
  return exports;
}

}  // namespace

NODE_API_MODULE(lensfs, Init)
