// SPDX-License-Identifier: Apache-2.0
#include "testing/convert.h"

#include <napi.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/result.h"
#include "core/base/write_text.h"

namespace testing {

Napi::Value Throw(Napi::Env env, const core::Error& error) {
  const std::string code = error.errno_value == EINVAL ? "EINVAL" : "UNKNOWN";
  const std::string message =
      code + ": " + error.operation + ", line " + std::to_string(error.line);
  const Napi::Error exception = Napi::Error::New(env, message);
  const Napi::Object object = exception.Value();
  Set(object, "code", FromText(env, code));
  Set(object, "errno", Napi::Number::New(env, -error.errno_value));
  Set(object, "syscall", FromText(env, error.operation));
  Set(object, "path", FromText(env, error.path));
  Set(object, "line", Napi::Number::New(env, error.line));
  exception.ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value Get(const Napi::Object& object, const char* name) {
  return object.Get(name).UnwrapOr(object.Env().Undefined());
}

void Set(Napi::Object object, const char* name, const Napi::Value& value) {
  object.Set(name, value).UnwrapOr(false);
}

std::optional<uint64_t> ToU64(const Napi::Value& value) {
  if (value.IsBigInt()) {
    bool lossless = false;
    const uint64_t number = value.As<Napi::BigInt>().Uint64Value(&lossless);
    return lossless ? std::optional(number) : std::nullopt;
  }
  if (!value.IsNumber()) return std::nullopt;
  const int64_t number = value.As<Napi::Number>().Int64Value();
  return number < 0 ? std::nullopt : std::optional(static_cast<uint64_t>(number));
}

std::string ToText(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

Napi::Object ToObject(const Napi::Object& object, const char* name) {
  const Napi::Value value = Get(object, name);
  return value.IsObject() ? value.As<Napi::Object>() : Napi::Object::New(object.Env());
}

std::vector<Napi::Object> ToObjects(const Napi::Object& object, const char* name) {
  std::vector<Napi::Object> objects;
  const Napi::Value value = Get(object, name);
  if (!value.IsArray()) return objects;
  const auto array = value.As<Napi::Array>();
  for (uint32_t index = 0; index < array.Length(); ++index) {
    const Napi::Value element = array.Get(index).UnwrapOr(object.Env().Undefined());
    if (element.IsObject()) objects.push_back(element.As<Napi::Object>());
  }
  return objects;
}

core::CpuSet ToCpuSet(const Napi::Value& value) {
  auto set = core::ParseCpuList(ToText(value));
  return set ? *set : core::CpuSet();
}

Napi::Value FromU64(Napi::Env env, uint64_t value) {
  return Napi::BigInt::New(env, value);
}

Napi::Value FromOptional(Napi::Env env, const std::optional<uint64_t>& value) {
  return value ? FromU64(env, *value) : env.Null();
}

Napi::Value FromText(Napi::Env env, std::string_view text) {
  return Napi::String::New(env, text.data(), text.size());
}

Napi::Value FromCpuSet(Napi::Env env, const core::CpuSet& set) {
  std::string text;
  core::TextWriter out(text);
  core::WriteCpuList(set, out);
  return FromText(env, text);
}

}  // namespace testing
