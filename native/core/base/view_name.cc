// SPDX-License-Identifier: Apache-2.0
#include "core/base/view_name.h"

#include <optional>
#include <string>
#include <string_view>

namespace core {
namespace {

constexpr std::string_view kEscapedEquals = "%3D";
constexpr std::string_view kEscapedPercent = "%25";

}  // namespace

std::string ViewNameOf(std::string_view cgroup_path) {
  std::string name;
  for (const char c : cgroup_path.substr(cgroup_path.starts_with('/') ? 1 : 0)) {
    if (c == '/') {
      name.push_back('=');
    } else if (c == '=') {
      name.append(kEscapedEquals);
    } else if (c == '%') {
      name.append(kEscapedPercent);
    } else {
      name.push_back(c);
    }
  }
  return name;
}

std::optional<std::string> CgroupPathOf(std::string_view view_name) {
  std::string path;
  for (std::string_view rest = view_name; !rest.empty();) {
    if (path.empty() || rest.front() == '=') path.push_back('/');
    if (rest.starts_with(kEscapedEquals)) {
      path.push_back('=');
      rest.remove_prefix(kEscapedEquals.size());
    } else if (rest.starts_with(kEscapedPercent)) {
      path.push_back('%');
      rest.remove_prefix(kEscapedPercent.size());
    } else {
      if (rest.front() != '=') path.push_back(rest.front());
      rest.remove_prefix(1);
    }
  }
  // Anything else that the loop accepts ("a==b", "=a", "%41") is no path's name. Neither are "."
  // and "..", which no cgroup is called.
  const bool has_name = !path.empty() && ViewNameOf(path) == view_name;
  const bool is_whole = path.find("//") == std::string::npos && !path.ends_with('/');
  const std::string closed = path + '/';
  const bool leads_up =
      closed.find("/./") != std::string::npos || closed.find("/../") != std::string::npos;
  if (!has_name || !is_whole || leads_up) return std::nullopt;
  return path;
}

}  // namespace core
