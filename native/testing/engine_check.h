// SPDX-License-Identifier: Apache-2.0
// What the engine allocates for a reader that has read before.
//
// Source: none.
// Units:  calls of operator new.
// Errors: those of the engine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace testing {

// Where a captured host is, and a process of a container of it.
struct CapturedReader {
  std::string proc_root, cgroup_root, sys_root;
  pid_t pid = 0;
};

// For one read of the catalog's `file`, rendered anew, once all buffers have their size.
core::Result<uint64_t> CountAllocationsOfRead(const CapturedReader& reader, std::string_view file);

}  // namespace testing
