// SPDX-License-Identifier: Apache-2.0
// All that a worker must know to answer reads, as bytes beside the saved configuration: its
// successor reads them before it has JavaScript.
//
// Source: src/daemon/saved-config.ts writes them where ReadPreset() looks.
// Units:  as in the structs.
// Errors: nullopt for bytes that another version wrote, or that are no preset.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "addon/options.h"
#include "core/engine/policy_rules.h"

namespace addon {

struct Preset {
  std::string version;  // of the program that wrote it
  std::string run_dir;
  std::string tree;
  std::string shared;  // where the shared connection is mounted
  SessionOptions session;
  std::vector<core::engine::PolicyRule> rules;
};

std::string PackPreset(Preset preset);
std::optional<Preset> UnpackPreset(std::string_view bytes);

// What is in force, from the memory `fd` of the saved configuration.
std::optional<Preset> ReadPreset(int fd);

}  // namespace addon
