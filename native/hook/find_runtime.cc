// SPDX-License-Identifier: Apache-2.0
#include "hook/find_runtime.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/text.h"

namespace hook {
namespace {

// Some callers have no PATH, or one without the administrator's programs.
constexpr std::string_view kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool IsOther(const std::string& path) {
  struct stat own{};
  struct stat other{};
  if (access(path.c_str(), X_OK) != 0 || stat(path.c_str(), &other) != 0) return false;
  if (!S_ISREG(other.st_mode) || stat("/proc/self/exe", &own) != 0) return false;
  return own.st_dev != other.st_dev || own.st_ino != other.st_ino;
}

std::string FindInPath(const std::string& name) {
  const char* const path = getenv("PATH");  // NOLINT(concurrency-mt-unsafe): one thread
  const std::string both =
      (path == nullptr ? "" : std::string(path) + ":") + std::string(kUsualPath);
  for (std::string_view rest = both; !rest.empty();) {
    const std::string_view directory = core::TakeUntil(rest, ':');
    if (!directory.starts_with('/')) continue;
    const std::string found = std::string(directory) + "/" + name;
    if (IsOther(found)) return found;
  }
  return "";
}

}  // namespace

core::Result<std::string> FindRuntime(const std::string& wanted) {
  const std::vector<std::string> names =
      wanted.empty() ? std::vector<std::string>{"runc", "crun"} : std::vector{wanted};
  for (const std::string& name : names) {
    const bool is_path = name.find('/') != std::string::npos;
    const std::string found = is_path ? (IsOther(name) ? name : "") : FindInPath(name);
    if (!found.empty()) return found;
  }
  const std::string what = wanted.empty() ? "runc or crun" : wanted;
  return core::Error{.errno_value = ENOENT, .operation = "find the runtime", .path = what};
}

}  // namespace hook
