// SPDX-License-Identifier: Apache-2.0
#include "core/engine/policy_rules.h"

#include <fnmatch.h>

#include <memory>
#include <string>
#include <vector>

#include "core/engine/options.h"

namespace core::engine {

std::shared_ptr<const Policy> ApplyRules(const std::shared_ptr<const Policy>& base,
                                         const std::vector<PolicyRule>& rules,
                                         const std::string& path) {
  std::shared_ptr<Policy> own;
  for (const PolicyRule& rule : rules) {
    if (path.find(rule.container_id) == std::string::npos) continue;
    if (fnmatch(rule.cgroup.c_str(), path.c_str(), 0) != 0) continue;
    if (own == nullptr) own = std::make_shared<Policy>(*base);
    own->freshness = rule.freshness.value_or(own->freshness);
    own->cpu.count = rule.cpu_count.value_or(own->cpu.count);
    own->cpu.numbering = rule.cpu_numbering.value_or(own->cpu.numbering);
    own->swap = rule.swap.value_or(own->swap);
    own->files = rule.files.value_or(own->files);
  }
  if (own == nullptr) return base;
  return own;
}

}  // namespace core::engine
