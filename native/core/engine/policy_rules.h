// SPDX-License-Identifier: Apache-2.0
// Which containers get another policy than the rest.
//
// Source: fnmatch(3).
// Units:  none.
// Errors: none; a pattern that matches nothing changes nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/engine/options.h"
#include "core/model/visible_cpus.h"

namespace core::engine {

// What is not set stays as it is.
struct PolicyRule {
  std::string cgroup;        // a pattern for the container root's path; "*" also matches "/"
  std::string container_id;  // a part that the path must have besides; may be empty
  std::optional<Nanoseconds> freshness;
  std::optional<model::CpuCount> cpu_count;
  std::optional<model::CpuNumbering> cpu_numbering;
  std::optional<bool> swap;
  std::optional<FileSet> files;
};

// `base` as the rules change it for the container root `path`, the last one that matches counting
// most; `base` itself when none matches.
std::shared_ptr<const Policy> ApplyRules(const std::shared_ptr<const Policy>& base,
                                         const std::vector<PolicyRule>& rules,
                                         const std::string& path);

}  // namespace core::engine
