// SPDX-License-Identifier: Apache-2.0
#include "attach/container_cgroup.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/text.h"
#include "core/base/view_name.h"

namespace attach {
namespace {

// "" is the v2 hierarchy.
constexpr std::array<std::string_view, 7> kOrder = {
    "cpu", "memory", "pids", "cpuset", "blkio", "cpuacct", ""};
constexpr std::string_view kInitScope = "/init.scope";

bool Lists(std::string_view controllers, std::string_view wanted) {
  do {
    if (core::TakeUntil(controllers, ',') == wanted) return true;
  } while (!controllers.empty());
  return false;
}

std::string_view PathOf(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    std::string_view path = core::TakeLine(text);
    (void)core::TakeUntil(path, ':');
    const std::string_view controllers = core::TakeUntil(path, ':');
    if (Lists(controllers, controller)) return path;
  }
  return {};
}

}  // namespace

std::optional<std::string> ParseViewName(std::string_view text) {
  for (const std::string_view controller : kOrder) {
    std::string_view path = PathOf(text, controller);
    if (path.ends_with(kInitScope)) path.remove_suffix(kInitScope.size());
    // "/.." leads out of the reader's own namespace.
    if (path.size() > 1 && path.front() == '/' && !path.starts_with("/..")) {
      return core::ViewNameOf(path);
    }
  }
  return std::nullopt;
}

}  // namespace attach
