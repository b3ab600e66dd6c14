// SPDX-License-Identifier: Apache-2.0
// Errors of the core as JavaScript errors.
//
// Source: the shape of Node's own system errors.
// Units:  none.
// Errors: none.
#pragma once

#include <napi.h>

#include "core/base/result.h"

namespace addon {

// An Error with code ("ENOENT"), errno, syscall and path; the message says all of them.
Napi::Error ToJsError(Napi::Env env, const core::Error& error);

}  // namespace addon
