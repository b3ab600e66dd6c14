// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/cgroup_id.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/cgroup/controller.h"

namespace core::cgroup {
namespace {

constexpr std::string_view kUnifiedName = "unified";

std::string_view WordFor(Controller controller) {
  return controller == Controller::kUnified ? kUnifiedName : NameInV1(controller);
}

}  // namespace

std::string NameOfId(CgroupId id) {
  return std::string("=").append(WordFor(id.controller)) + "=" + std::to_string(id.inode);
}

std::optional<CgroupId> IdOfName(std::string_view name) {
  if (!IsNameOfId(name)) return std::nullopt;
  name.remove_prefix(1);
  const std::string_view word = TakeUntil(name, '=');
  const auto inode = ParseU64(name);
  if (!inode || *inode == 0) return std::nullopt;
  for (const Controller controller : kControllers) {
    if (WordFor(controller) != word) continue;
    const CgroupId id{.controller = controller, .inode = *inode};
    // "=cpu=007" would be a second name of the same directory.
    const bool is_only_name = NameOfId(id).ends_with(std::string("=").append(name));
    return is_only_name ? std::optional(id) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<CgroupId> IdOfInodeNumber(uint64_t number) {
  const uint64_t inode = number >> (kPathBits + kControllerBits);
  const uint64_t controller = number >> kPathBits & ((1U << kControllerBits) - 1);
  if (inode == 0) return std::nullopt;
  return CgroupId{.controller = static_cast<Controller>(controller), .inode = inode};
}

}  // namespace core::cgroup
