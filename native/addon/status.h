// SPDX-License-Identifier: Apache-2.0
// What the data plane says of itself.
//
// Source: src/native/binding.ts, NativeStatus.
// Units:  counts since start, or now.
// Errors: none.
#pragma once

#include <napi.h>

#include "addon/session.h"

namespace addon {

Napi::Object ToJsStatus(Napi::Env env, Session& session);

}  // namespace addon
