// SPDX-License-Identifier: Apache-2.0
// A container root's cgroup path as one name of a directory, and back.
//
// Source: none.
// Units:  none.
// Errors: none; a name that stands for no path gives nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace core {

// "/system.slice/nginx.service" is "system.slice=nginx.service"; in the path "=" is "%3D" and
// "%" is "%25". The root "/" has no name.
std::string ViewNameOf(std::string_view cgroup_path);

// The reverse: the path that has exactly this name; nullopt when none has.
std::optional<std::string> CgroupPathOf(std::string_view view_name);

}  // namespace core
