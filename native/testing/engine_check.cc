// SPDX-License-Identifier: Apache-2.0
#include "testing/engine_check.h"

#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/catalog/catalog.h"
#include "core/engine/engine.h"
#include "core/engine/options.h"
#include "core/engine/sheet_maker.h"
#include "testing/allocations.h"

namespace testing {
namespace {

using core::Error;
using core::Result;

// Snapshots and buffers change places; after this many reads each has been used.
constexpr int kWarmReads = 10;

}  // namespace

Result<uint64_t> CountAllocationsOfRead(const CapturedReader& reader, std::string_view file) {
  const core::engine::EngineOptions options{.proc_root = reader.proc_root,
                                            .cgroup_root = reader.cgroup_root,
                                            .sys_root = reader.sys_root};
  core::engine::Policy policy;
  policy.freshness = core::Nanoseconds{};
  policy.on_failure = core::engine::OnFailure::kError;
  const auto engine = core::engine::Engine::Open(options, policy);
  if (!engine) return engine.error();
  const auto index = core::catalog::FindFile(file);
  if (!index) {
    return Error{.errno_value = ENOENT, .operation = "find", .path = std::string(file)};
  }
  core::engine::Scratch scratch;
  const auto view = (*engine)->ViewOfPid(reader.pid, scratch);
  if (!view) return view.error();
  uint64_t count = 0;
  for (int read = 0; read <= kWarmReads; ++read) {
    const uint64_t before = CountAllocations();
    const auto snapshot = (*engine)->Read(*index, view, reader.pid, scratch);
    if (!snapshot) return snapshot.error();
    count = CountAllocations() - before;
  }
  return count;
}

}  // namespace testing
