// SPDX-License-Identifier: Apache-2.0
// The groups of functions that the testing addon exports.
//
// Source: none.
// Units:  none.
// Errors: none.
#pragma once

#include <napi.h>

namespace testing {

// One exported function.
struct Function {
  const char* name;
  Napi::Value (*call)(const Napi::CallbackInfo& info);
};

inline void Export(Napi::Object exports, const Function& function) {
  const Napi::Value value = Napi::Function::New(exports.Env(), function.call, function.name);
  exports.Set(function.name, value).UnwrapOr(false);
}

void ExportParsers(Napi::Object exports);
void ExportModels(Napi::Object exports);
void ExportRenderers(Napi::Object exports);
void ExportCpuAccumulator(Napi::Object exports);
void ExportRepeated(Napi::Object exports);
void ExportEngine(Napi::Object exports);

}  // namespace testing
