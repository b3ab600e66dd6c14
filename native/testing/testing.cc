// SPDX-License-Identifier: Apache-2.0
// testing.node: parsers, models and renderers as functions, for the tests. Never shipped.
#include <napi.h>

#include "testing/functions.h"

namespace {

Napi::Object Initialize(Napi::Env /*env*/, Napi::Object exports) {
  testing::ExportParsers(exports);
  testing::ExportModels(exports);
  testing::ExportRenderers(exports);
  testing::ExportCpuAccumulator(exports);
  testing::ExportRepeated(exports);
  testing::ExportEngine(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(testing, Initialize)
