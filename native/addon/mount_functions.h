// SPDX-License-Identifier: Apache-2.0
// What `lensfs serve` does before it serves, and `lensfs stage`: mounts/ as functions of
// JavaScript.
//
// Source: src/native/mounts.ts.
// Units:  none.
// Errors: as of mounts/; a TypeError for arguments of the wrong type.
#pragma once

#include <napi.h>

namespace addon {

void DefineMountFunctions(Napi::Env env, Napi::Object exports);

}  // namespace addon
