// SPDX-License-Identifier: Apache-2.0
// A value or the error that took its place.
//
// Source: the shape of std::expected (C++23), reduced to what this project uses.
// Units:  none.
// Errors: this is the error type; every function that can fail returns a Result.
#pragma once

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace core {

// What failed, where. `operation` is a literal ("open", "parse"); `path` may be relative to a
// cgroup directory; `line` is 1-based and 0 when it has no meaning.
struct Error {
  int errno_value = 0;
  const char* operation = "";
  std::string path;
  int line = 0;
};

// The error of the system call that has just failed. Call it before anything else can set errno.
inline Error SystemError(const char* operation, std::string_view path) {
  return Error{.errno_value = errno, .operation = operation, .path = std::string(path)};
}

// There is no such file.
inline bool IsMissing(const Error& error) {
  return error.errno_value == ENOENT;
}

inline Error ParseErrorAt(int line, std::string_view path = {}) {
  return Error{
      .errno_value = EINVAL, .operation = "parse", .path = std::string(path), .line = line};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose, so that `return value;` and `return error;` both work.
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // Undefined unless has_value().
  [[nodiscard]] T& value() & { return *std::get_if<0>(&state_); }
  [[nodiscard]] const T& value() const& { return *std::get_if<0>(&state_); }
  [[nodiscard]] T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // Undefined when has_value().
  [[nodiscard]] const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

struct Unit {};
using Status = Result<Unit>;

}  // namespace core
