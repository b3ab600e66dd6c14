// SPDX-License-Identifier: Apache-2.0
#include "mounts/mount_table.h"

#include <fcntl.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
constexpr std::string_view kShared = " shared:";
constexpr std::string_view kMaster = " master:";

// Of the optional field `name` in the rest of a line; 0 where there is none.
uint64_t ValueOf(std::string_view rest, std::string_view name) {
  const size_t end = rest.find(kEndOfOptionalFields);
  const size_t begin = rest.find(name);
  if (begin >= end) return 0;
  rest.remove_prefix(begin + name.size());
  return core::ParseU64(core::TakeWord(rest)).value_or(0);
}

}  // namespace

std::vector<Mount> ParseMountTable(std::string_view text) {
  std::vector<Mount> table;
  while (!text.empty()) {
    std::string_view line = core::TakeLine(text);
    const size_t end = line.find(kEndOfOptionalFields);
    if (end == std::string_view::npos) continue;
    std::string_view rest = line.substr(end + kEndOfOptionalFields.size());
    Mount mount;
    mount.id = core::ParseU64(core::TakeWord(line)).value_or(0);
    mount.parent = core::ParseU64(core::TakeWord(line)).value_or(0);
    mount.device = core::TakeWord(line);
    (void)core::TakeWord(line);  // root
    mount.path = core::UndoOctalEscapes(core::TakeWord(line));
    mount.shared = ValueOf(line, kShared);
    mount.master = ValueOf(line, kMaster);
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

// A mount that was put beneath another comes after it in the table, so the order is not enough.
std::vector<const Mount*> FindStack(const std::vector<Mount>& table, std::string_view path) {
  std::vector<const Mount*> stack;
  for (const Mount& mount : table) {
    if (mount.path == path) stack.push_back(&mount);
  }
  for (size_t index = 1; index < stack.size(); ++index) {
    const auto child = std::find_if(
        stack.begin() + static_cast<ptrdiff_t>(index), stack.end(), [&](const Mount* mount) {
          return mount->parent == stack[index - 1]->id;
        });
    if (child != stack.end())
      std::rotate(stack.begin() + static_cast<ptrdiff_t>(index), child, child + 1);
  }
  return stack;
}

const Mount* FindTop(const std::vector<Mount>& table, std::string_view path) {
  const auto stack = FindStack(table, path);
  return stack.empty() ? nullptr : stack.back();
}

}  // namespace mounts
