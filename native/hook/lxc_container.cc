// SPDX-License-Identifier: Apache-2.0
#include "hook/lxc_container.h"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "hook/process_id.h"

namespace hook {
namespace {

constexpr std::string_view kKey = "lxc.environment";
constexpr std::string_view kVariable = "LENSFS=";

std::string VariableOr(const char* name, const char* otherwise) {
  const char* const value = getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? otherwise : value;
}

// LXC takes quotes around a value away.
std::string_view WithoutQuotes(std::string_view text) {
  const bool is_quoted = text.size() >= 2 && text.front() == text.back() &&
                         (text.front() == '"' || text.front() == '\'');
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

core::Result<LxcContainer> ReadLxcContainer() {
  const std::string pid = VariableOr("LXC_PID", "");
  const auto number = ParseProcessId(pid);
  if (!number) {
    return core::Error{
        .errno_value = EINVAL, .operation = "use", .path = "LXC_PID \"" + pid + "\""};
  }
  LxcContainer container{
      .name = VariableOr("LXC_NAME", ""), .pid = *number, .choice = std::nullopt};
  core::FileBuffer buffer;
  const std::string path = VariableOr("LXC_CONFIG_FILE", "");
  const auto config = core::ReadFileAt(AT_FDCWD, path.c_str(), buffer);
  if (config) container.choice = FindLxcChoice(*config);
  return container;
}

std::optional<std::string> FindLxcChoice(std::string_view config) {
  std::optional<std::string> found;
  while (!config.empty()) {
    std::string_view value = core::TakeLine(config);
    const std::string_view key = core::Trim(core::TakeUntil(value, '='));
    value = WithoutQuotes(core::Trim(value));
    if (key == kKey && value.starts_with(kVariable)) found = value.substr(kVariable.size());
  }
  return found;
}

}  // namespace hook
