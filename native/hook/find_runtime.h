// SPDX-License-Identifier: Apache-2.0
// The OCI runtime that does the work.
//
// Source: execvp(3) for the search.
// Units:  none.
// Errors: ENOENT when there is none but ourselves.
#pragma once

#include <string>

#include "core/base/result.h"

namespace hook {

// The path of `wanted` (a name or a path), or of the first of runc and crun when it is "". Never
// this program itself, whatever name it has.
core::Result<std::string> FindRuntime(const std::string& wanted);

}  // namespace hook
