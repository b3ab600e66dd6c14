// SPDX-License-Identifier: Apache-2.0
#include "addon/errors.h"

#include <string.h>

#include <napi.h>

#include <string>

#include "core/base/result.h"

namespace addon {

Napi::Error ToJsError(Napi::Env env, const core::Error& error) {
  const char* const code = strerrorname_np(error.errno_value);
  const std::string code_text =
      code == nullptr ? std::to_string(error.errno_value) : std::string(code);
  std::string message = code_text + ": " + strerrordesc_np(error.errno_value) + ", " +
                        error.operation + " '" + error.path + "'";
  if (error.line != 0) message += " line " + std::to_string(error.line);
  Napi::Error js_error = Napi::Error::New(env, message);
  js_error.Set("code", Napi::String::New(env, code_text));
  js_error.Set("errno", Napi::Number::New(env, -error.errno_value));
  js_error.Set("syscall", Napi::String::New(env, error.operation));
  js_error.Set("path", Napi::String::New(env, error.path));
  return js_error;
}

}  // namespace addon
