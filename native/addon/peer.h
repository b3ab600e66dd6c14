// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a unix socket.
//
// Source: SO_PEERCRED, unix(7); Node.js has no function for it.
// Units:  none.
// Errors: null for a descriptor that is no connected unix socket.
#pragma once

#include <napi.h>

namespace addon {

// (fd) -> {pid, uid, gid} as of the connect
Napi::Value JsPeerOf(const Napi::CallbackInfo& info);

}  // namespace addon
