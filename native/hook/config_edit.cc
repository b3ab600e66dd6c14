// SPDX-License-Identifier: Apache-2.0
#include "hook/config_edit.h"

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "hook/json.h"

namespace hook {
namespace {

core::Error NotOci(std::string_view what) {
  return core::Error{.errno_value = EINVAL, .operation = "parse", .path = std::string(what)};
}

bool HasPath(const JsonValue& hooks, std::string_view path) {
  bool found = false;
  hooks.ForEachElement([&](const JsonValue& element) {
    const auto value = element.Member("path");
    found = found || (value && value->String() == path);
  });
  return found;
}

std::string Replaced(std::string_view text, const JsonValue& old, std::string_view by) {
  std::string edited(text.substr(0, old.Offset()));
  edited.append(by);
  return edited.append(text.substr(old.Offset() + old.Text().size()));
}

// At the end of an object or array.
std::string Appended(std::string_view text, const JsonValue& to, std::string_view what) {
  const size_t closing = to.Offset() + to.Text().size() - 1;
  std::string edited(text.substr(0, closing));
  if (!to.IsEmpty()) edited.push_back(',');
  return edited.append(what).append(text.substr(closing));
}

}  // namespace

core::Result<std::optional<std::string>> AddHook(std::string_view config, const OciHook& hook) {
  const auto root = JsonValue::Parse(config);
  if (!root || !root->IsObject()) return NotOci("expected a JSON object");
  const std::string list = "[" + hook.json + "]";
  const std::string member = ToJsonString(hook.stage) + ":" + list;
  const auto hooks = root->Member("hooks");
  if (!hooks) return std::optional(Appended(config, *root, "\"hooks\":{" + member + "}"));
  if (hooks->IsNull()) return std::optional(Replaced(config, *hooks, "{" + member + "}"));
  if (!hooks->IsObject()) return NotOci("hooks: expected an object");
  const auto stage = hooks->Member(hook.stage);
  if (!stage) return std::optional(Appended(config, *hooks, member));
  if (stage->IsNull()) return std::optional(Replaced(config, *stage, list));
  if (!stage->IsArray()) return NotOci("hooks." + hook.stage + ": expected an array");
  if (HasPath(*stage, hook.path)) return std::optional<std::string>();
  return std::optional(Appended(config, *stage, hook.json));
}

}  // namespace hook
