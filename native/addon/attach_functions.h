// SPDX-License-Identifier: Apache-2.0
// Giving running containers the view, for JavaScript.
//
// Source: attach/attachment.h.
// Units:  none.
// Errors: TypeError for arguments of another shape; otherwise promises are rejected with the error.
#pragma once

#include <napi.h>

namespace addon {

// attach(pid, {tree, runDir, view}, files), detach(pid, files) and repair(pid, {tree, runDir,
// view}) give promises of {done, already, left: [{path, reason}]}; attachable(files) gives the
// paths that a list such as "cpu,memory" stands for.
void ExportAttachFunctions(Napi::Env env, Napi::Object exports);

}  // namespace addon
