// SPDX-License-Identifier: Apache-2.0
// A file's new text, at once or not at all.
//
// Source: rename(2).
// Units:  none.
// Errors: the errno of what failed; then the file is as it was and nothing is left beside it.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hook {

// The file keeps its mode and owner.
core::Status ReplaceFile(const std::string& path, std::string_view text);

}  // namespace hook
