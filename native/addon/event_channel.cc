// SPDX-License-Identifier: Apache-2.0
#include "addon/event_channel.h"

#include <string.h>

#include <napi.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace addon {
namespace {

// More than ever wait at once; what comes on top is dropped rather than waited for.
constexpr size_t kQueuedEventsMax = 64;

void CallListener(Napi::Env env, Napi::Function listener, Event* event) {
  const std::unique_ptr<Event> owned(event);
  if (env == nullptr || listener.IsEmpty()) return;  // the environment is going away
  Napi::Object object = Napi::Object::New(env);
  object.Set("level", event->level);
  object.Set("code", event->code);
  std::string message = event->message;
  if (event->errno_value != 0) message += std::string(": ") + strerrordesc_np(event->errno_value);
  object.Set("message", message);
  listener.Call({object});
}

}  // namespace

std::shared_ptr<EventChannel> EventChannel::Open(Napi::Env env, Napi::Function listener) {
  auto function =
      Napi::ThreadSafeFunction::New(env, listener, "lensfs events", kQueuedEventsMax, 1);
  function.Unref(env);
  return std::shared_ptr<EventChannel>(new EventChannel(function));
}

EventChannel::~EventChannel() {
  function_.Release();
}

void EventChannel::Send(Event event) {
  auto* const owned = new Event(std::move(event));
  if (function_.NonBlockingCall(owned, CallListener) != napi_ok) delete owned;
}

}  // namespace addon
