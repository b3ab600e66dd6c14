// SPDX-License-Identifier: Apache-2.0
// What libFuzzer calls: LENSFS_FUZZ_TARGET=NAME fuzz [libFuzzer's options and directories].
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "fuzz/targets.h"

namespace {

std::optional<fuzz::ParserCheck>& Target() {
  static std::optional<fuzz::ParserCheck> target;
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread is started.
  const char* const name = std::getenv("LENSFS_FUZZ_TARGET");
  if (name != nullptr) Target() = fuzz::FindTarget(name);
  if (Target()) return 0;
  (void)std::fprintf(stderr, "LENSFS_FUZZ_TARGET: expected the name of a target\n");
  std::_Exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto target = Target();
  if (target) fuzz::RunOrAbort(*target, {reinterpret_cast<const char*>(data), size});
  return 0;
}
