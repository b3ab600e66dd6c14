// SPDX-License-Identifier: Apache-2.0
#include "hook/oci_container.h"

#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "hook/json.h"

namespace hook {
namespace {

using core::Error;
using core::Result;

constexpr std::string_view kAnnotation = "lensfs.io/view";
constexpr std::string_view kVariable = "LENSFS=";

Error Unexpected(std::string_view what) {
  return Error{.errno_value = EINVAL, .operation = "parse", .path = std::string(what)};
}

std::string StringOr(const std::optional<JsonValue>& value, std::string_view otherwise) {
  const auto text = value ? value->String() : std::nullopt;
  return text ? *text : std::string(otherwise);
}

// Of several, as for exec: the last.
std::optional<std::string> FindVariable(const JsonValue& config) {
  std::optional<std::string> found;
  const auto variables = config.Member("process", "env");
  if (!variables) return found;
  variables->ForEachElement([&](const JsonValue& element) {
    const auto text = element.String();
    if (text && text->starts_with(kVariable)) found = text->substr(kVariable.size());
  });
  return found;
}

std::optional<std::string> FindChoice(const JsonValue& state, const JsonValue& config) {
  for (const JsonValue* document : {&state, &config}) {
    const auto annotation = document->Member("annotations", kAnnotation);
    const auto text = annotation ? annotation->String() : std::nullopt;
    if (text) return text;
  }
  return FindVariable(config);
}

bool HasPidNamespace(const JsonValue& config) {
  bool found = false;
  const auto namespaces = config.Member("linux", "namespaces");
  if (!namespaces) return found;
  namespaces->ForEachElement([&](const JsonValue& element) {
    found = found || StringOr(element.Member("type"), "") == "pid";
  });
  return found;
}

}  // namespace

Result<OciContainer> ReadOciContainer(std::string_view state_text) {
  const auto state = JsonValue::Parse(state_text);
  if (!state || !state->IsObject()) return Unexpected("the container's state: expected an object");
  OciContainer container;
  container.id = StringOr(state->Member("id"), "");
  const auto pid = state->Member("pid");
  if (pid) container.pid = pid->Text();
  const std::string bundle = StringOr(state->Member("bundle"), "");
  if (bundle.empty()) return Unexpected("the container's state: expected a bundle");

  core::FileBuffer buffer;
  const std::string path = bundle + "/config.json";
  const auto text = core::ReadFileAt(AT_FDCWD, path.c_str(), buffer);
  if (!text) return text.error();
  const auto config = JsonValue::Parse(*text);
  if (!config || !config->IsObject()) return Unexpected(path + ": expected an object");
  container.root = StringOr(config->Member("root", "path"), "");
  if (container.root.empty()) return Unexpected(path + ": expected root.path");
  if (container.root.front() != '/') container.root = bundle + "/" + container.root;
  container.has_pids = HasPidNamespace(*config);
  container.choice = FindChoice(*state, *config);
  return container;
}

}  // namespace hook
