// SPDX-License-Identifier: Apache-2.0
// Events from native threads to a JavaScript function.
//
// Source: Node-API thread-safe functions.
// Units:  none.
// Errors: none; an event that JavaScript cannot take any more (the environment ends) is dropped.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

namespace addon {

struct Event {
  const char* level = "info";  // "info", "warn" or "error"
  const char* code = "";
  std::string message;
  int errno_value = 0;
};

class EventChannel {
 public:
  // `listener({level, code, message})` is called on the JavaScript thread. The channel does not
  // keep the process alive.
  static std::shared_ptr<EventChannel> Open(Napi::Env env, Napi::Function listener);
  ~EventChannel();
  EventChannel(const EventChannel&) = delete;
  EventChannel& operator=(const EventChannel&) = delete;

  // From any thread; never waits for JavaScript.
  void Send(Event event);

 private:
  explicit EventChannel(Napi::ThreadSafeFunction function) : function_(function) {}

  Napi::ThreadSafeFunction function_;
};

}  // namespace addon
