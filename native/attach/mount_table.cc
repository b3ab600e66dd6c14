// SPDX-License-Identifier: Apache-2.0
#include "attach/mount_table.h"

#include <fcntl.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/octal_escapes.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace attach {
namespace {

constexpr std::string_view kShared = "shared:";

std::optional<Mount> ParseLine(std::string_view line) {
  Mount mount;
  const auto id = core::ParseU64(core::TakeWord(line));
  if (!id) return std::nullopt;
  mount.id = *id;
  mount.parent = core::ParseU64(core::TakeWord(line)).value_or(0);
  mount.device = core::TakeWord(line);
  mount.root = core::UndoOctalEscapes(core::TakeWord(line));
  mount.point = core::UndoOctalEscapes(core::TakeWord(line));
  // Options, then any number of tags such as "shared:1", then "-".
  for (std::string_view word = core::TakeWord(line); word != "-"; word = core::TakeWord(line)) {
    if (word.empty()) return std::nullopt;
    if (!word.starts_with(kShared)) continue;
    mount.peers = core::ParseU64(word.substr(kShared.size())).value_or(0);
  }
  mount.type = core::TakeWord(line);
  if (mount.type.empty()) return std::nullopt;
  return mount;
}

}  // namespace

std::vector<Mount> ParseMounts(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    auto mount = ParseLine(core::TakeLine(text));
    if (mount) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

core::Result<std::vector<Mount>> ReadOwnMounts(core::FileBuffer& buffer) {
  const auto text = core::ReadFileAt(AT_FDCWD, "/proc/self/mountinfo", buffer);
  if (!text) return text.error();
  return ParseMounts(*text);
}

const Mount* FindMount(const std::vector<Mount>& mounts, uint64_t id) {
  for (const Mount& mount : mounts) {
    if (mount.id == id) return &mount;
  }
  return nullptr;
}

}  // namespace attach
