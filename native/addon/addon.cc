// SPDX-License-Identifier: Apache-2.0
// The module that JavaScript loads.
#include <napi.h>

#include "addon/engine_object.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", addon::EngineObject::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(lensfs, Init)
