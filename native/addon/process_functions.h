// SPDX-License-Identifier: Apache-2.0
// What Node.js has no function for and `lensfs serve` needs to hand itself over to its keeper.
//
// Source: src/native/process.ts; execve(2), memfd_create(2), unix(7).
// Units:  none.
// Errors: errno of the system calls; a TypeError for arguments of the wrong type.
#pragma once

#include <napi.h>

namespace addon {

void DefineProcessFunctions(Napi::Env env, Napi::Object exports);

}  // namespace addon
