// SPDX-License-Identifier: Apache-2.0
// JavaScript option objects as the engine's plain structs.
//
// Source: src/native/binding.ts, NativeOptions.
// Units:  as the names of the properties say.
// Errors: a message that names the property and what was expected; values are otherwise checked in
//         src/config.
#pragma once

#include <napi.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/engine/options.h"
#include "core/engine/policy_rules.h"

namespace addon {

struct SessionOptions {
  core::engine::EngineOptions engine;
  core::engine::Policy policy;
  size_t handles_max = 16384;
  size_t readers = 1;
  bool wants_rings = false;
  size_t triggers_max = 0;  // as the limit of open files allows
};

// What a session serves: descriptors that stay the caller's, and directories.
struct ServeOptions {
  std::vector<int> fds;  // in the order of core::LinkFd
  std::string tree;
  std::string shared;  // where the shared connection is mounted
};

// `message` is set when there is none.
std::optional<ServeOptions> ToServeOptions(const Napi::Value& value, std::string& message);

// The bytes for ReadPreset(); `where` has version, runDir, tree and shared. `message` is set when
// something is wrong.
std::string ToPreset(const Napi::Value& options, const Napi::Value& where, std::string& message);

// `message` is set when there is none.
std::optional<SessionOptions> ToSessionOptions(const Napi::Value& value, std::string& message);

// The properties that `value` has replace those of `policy`; false with `message` set when one has
// the wrong type.
bool UpdatePolicy(const Napi::Value& value, core::engine::Policy& policy, std::string& message);

// The rules of the property `rules`; nullopt when there is none, or with `message` set when it is
// wrong.
std::optional<std::vector<core::engine::PolicyRule>> ToPolicyRules(const Napi::Value& options,
                                                                   std::string& message);

}  // namespace addon
