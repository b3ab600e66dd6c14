// SPDX-License-Identifier: Apache-2.0
// Between JavaScript values and plain C++ ones.
//
// Source: Node-API, through node-addon-api without exceptions.
// Units:  64-bit numbers are BigInts; on the way in a Number will do.
// Errors: a missing or undefined property is nullopt; a core::Error becomes a JavaScript Error with
//         code, errno, syscall, path and line.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cpu_set.h"
#include "core/base/result.h"

namespace testing {

// Makes `error` the pending exception; returns what a function then returns.
Napi::Value Throw(Napi::Env env, const core::Error& error);

// Undefined when there is no such property.
Napi::Value Get(const Napi::Object& object, const char* name);
void Set(Napi::Object object, const char* name, const Napi::Value& value);

std::optional<uint64_t> ToU64(const Napi::Value& value);
std::string ToText(const Napi::Value& value);  // "" for anything but a string
// The property as an object, an empty one when it is missing.
Napi::Object ToObject(const Napi::Object& object, const char* name);
// The elements of an array property that are objects.
std::vector<Napi::Object> ToObjects(const Napi::Object& object, const char* name);
core::CpuSet ToCpuSet(const Napi::Value& value);  // from "0-3,5"; empty for other text

Napi::Value FromU64(Napi::Env env, uint64_t value);
Napi::Value FromOptional(Napi::Env env, const std::optional<uint64_t>& value);  // null for nullopt
Napi::Value FromText(Napi::Env env, std::string_view text);
Napi::Value FromCpuSet(Napi::Env env, const core::CpuSet& set);

// One 64-bit member of a record, under its C++ name.
template <typename Record>
struct Member {
  const char* name;
  uint64_t Record::* member;
};

template <typename Record>
Napi::Object FromRecord(Napi::Env env,
                        const Record& record,
                        std::span<const Member<Record>> members) {
  Napi::Object object = Napi::Object::New(env);
  for (const Member<Record>& each : members) {
    Set(object, each.name, FromU64(env, record.*each.member));
  }
  return object;
}

// Members that the object does not have stay as they are.
template <typename Record>
void ToRecord(const Napi::Object& object, std::span<const Member<Record>> members, Record& record) {
  for (const Member<Record>& each : members) {
    const auto value = ToU64(Get(object, each.name));
    if (value) record.*each.member = *value;
  }
}

template <typename Record, typename Convert>
Napi::Value FromVector(Napi::Env env, const std::vector<Record>& records, Convert convert) {
  Napi::Array array = Napi::Array::New(env, records.size());
  uint32_t index = 0;
  for (const Record& record : records) {
    array.Set(index++, convert(env, record)).UnwrapOr(false);
  }
  return array;
}

}  // namespace testing
