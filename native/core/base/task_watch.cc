// SPDX-License-Identifier: Apache-2.0
#include "core/base/task_watch.h"

#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/text.h"

namespace core {
namespace {

// Longer than both files.
constexpr size_t kTextBytes = 1024;

// The state comes after the name, which may have parentheses and blanks of its own.
bool IsRunnable(std::string_view stat) {
  const size_t end = stat.rfind(") ");
  return end != std::string_view::npos && stat.substr(end + 2).starts_with('R');
}

}  // namespace

bool TaskWatch::HasWantedCpu(std::span<const std::string> tasks) {
  FileBuffer buffer(kTextBytes);
  Use use;
  bool is_runnable = false;
  for (const std::string& task : tasks) {
    const auto stat = ReadFileAt(AT_FDCWD, (task + "/stat").c_str(), buffer);
    is_runnable = is_runnable || (stat && IsRunnable(*stat));
    const auto times = ReadFileAt(AT_FDCWD, (task + "/schedstat").c_str(), buffer);
    if (!times) continue;
    std::string_view text = *times;
    use.run_nsec += static_cast<int64_t>(ParseU64(TakeUntil(text, ' ')).value_or(0));
    use.wait_nsec += static_cast<int64_t>(ParseU64(TakeUntil(text, ' ')).value_or(0));
  }
  const bool has_moved = has_looked_ && use != now_;
  if (!has_looked_) first_run_nsec_ = use.run_nsec;
  has_looked_ = true;
  now_ = use;
  return is_runnable || has_moved;
}

}  // namespace core
