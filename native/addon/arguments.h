// SPDX-License-Identifier: Apache-2.0
// Arguments of functions that JavaScript calls, and what they answer.
//
// Source: none.
// Units:  none.
// Errors: a missing or wrong argument is a pending TypeError that names it.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "addon/errors.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace addon {

// Reads arguments in order; after a complaint all that follow are empty.
class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  std::string Text(const char* name) {
    const Napi::Value value = Next();
    if (value.IsString()) return value.As<Napi::String>().Utf8Value();
    Complain(name, "a string");
    return "";
  }
  int Number(const char* name) {
    const Napi::Value value = Next();
    if (value.IsNumber()) return value.As<Napi::Number>().Int32Value();
    Complain(name, "a number");
    return -1;
  }
  bool Boolean(const char* name) {
    const Napi::Value value = Next();
    if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
    Complain(name, "a boolean");
    return false;
  }
  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    const Napi::Value value = Next();
    if (!value.IsArray()) Complain(name, "an array of strings");
    if (!IsGood()) return texts;
    const auto array = value.As<Napi::Array>();
    for (uint32_t index = 0; index < array.Length(); ++index) {
      const Napi::Value text = array.Get(index).UnwrapOr(Napi::Value());
      if (!text.IsString()) Complain(name, "an array of strings");
      if (!IsGood()) return {};
      texts.push_back(text.As<Napi::String>().Utf8Value());
    }
    return texts;
  }
  std::vector<int> Numbers(const char* name) {
    std::vector<int> numbers;
    const Napi::Value value = Next();
    if (!value.IsArray()) Complain(name, "an array of numbers");
    if (!IsGood()) return numbers;
    const auto array = value.As<Napi::Array>();
    for (uint32_t index = 0; index < array.Length(); ++index) {
      const Napi::Value number = array.Get(index).UnwrapOr(Napi::Value());
      if (!number.IsNumber()) Complain(name, "an array of numbers");
      if (!IsGood()) return {};
      numbers.push_back(number.As<Napi::Number>().Int32Value());
    }
    return numbers;
  }
  [[nodiscard]] bool IsGood() const { return is_good_; }

 private:
  Napi::Value Next() { return info_[next_++]; }
  void Complain(const char* name, const char* expected) {
    if (!is_good_) return;
    is_good_ = false;
    Napi::TypeError::New(info_.Env(), std::string(name) + ": expected " + expected)
        .ThrowAsJavaScriptException();
  }

  const Napi::CallbackInfo& info_;
  size_t next_ = 0;
  bool is_good_ = true;
};

inline Napi::Value ThrowError(Napi::Env env, const core::Error& error) {
  ToJsError(env, error).ThrowAsJavaScriptException();
  return env.Undefined();
}

// Undefined, or the error thrown.
inline Napi::Value ToJs(Napi::Env env, const core::Status& status) {
  return status ? env.Undefined() : ThrowError(env, status.error());
}

// The number of a descriptor that is JavaScript's from now on.
inline Napi::Value ToJs(Napi::Env env, core::Result<core::Fd> fd) {
  if (!fd) return ThrowError(env, fd.error());
  return Napi::Number::New(env, fd->release());
}

}  // namespace addon
