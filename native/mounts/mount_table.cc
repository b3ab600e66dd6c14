// SPDX-License-Identifier: Apache-2.0
#include "mounts/mount_table.h"

#include <fcntl.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/octal_escapes.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace mounts {
namespace {

constexpr std::string_view kEndOfOptionalFields = " - ";

}  // namespace

std::vector<Mount> ParseMountTable(std::string_view text) {
  std::vector<Mount> table;
  while (!text.empty()) {
    std::string_view line = core::TakeLine(text);
    const size_t end = line.find(kEndOfOptionalFields);
    if (end == std::string_view::npos) continue;
    std::string_view rest = line.substr(end + kEndOfOptionalFields.size());
    Mount mount;
    (void)core::TakeWord(line);  // mount id
    (void)core::TakeWord(line);  // parent id
    mount.device = core::TakeWord(line);
    (void)core::TakeWord(line);  // root
    mount.path = core::UndoOctalEscapes(core::TakeWord(line));
    mount.type = core::TakeWord(rest);
    mount.source = core::UndoOctalEscapes(core::TakeWord(rest));
    table.push_back(std::move(mount));
  }
  return table;
}

core::Result<std::vector<Mount>> ReadMountTable() {
  core::FileBuffer buffer;
  const auto text = core::ReadFileAt(AT_FDCWD, "/proc/self/mountinfo", buffer);
  if (!text) return text.error();
  return ParseMountTable(*text);
}

const Mount* FindTop(const std::vector<Mount>& table, std::string_view path) {
  const Mount* top = nullptr;
  for (const Mount& mount : table) {
    if (mount.path == path) top = &mount;
  }
  return top;
}

}  // namespace mounts
