// SPDX-License-Identifier: Apache-2.0
#include "addon/peer.h"

#include <sys/socket.h>

#include <napi.h>

namespace addon {

Napi::Value JsPeerOf(const Napi::CallbackInfo& info) {
  ucred peer{};
  socklen_t size = sizeof peer;
  const int fd = info[0].IsNumber() ? info[0].As<Napi::Number>().Int32Value() : -1;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid == 0) {
    return info.Env().Null();
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("pid", static_cast<double>(peer.pid));
  result.Set("uid", static_cast<double>(peer.uid));
  result.Set("gid", static_cast<double>(peer.gid));
  return result;
}

}  // namespace addon
