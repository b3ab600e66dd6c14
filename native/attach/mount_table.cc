// SPDX-License-Identifier: Apache-2.0
#include "attach/mount_table.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/octal_escapes.h"
#include "core/base/text.h"

namespace attach {
namespace {

std::optional<Mount> ParseLine(std::string_view line) {
  Mount mount;
  const auto id = core::ParseU64(core::TakeWord(line));
  if (!id) return std::nullopt;
  mount.id = *id;
  (void)core::TakeWord(line);  // the parent
  mount.device = core::TakeWord(line);
  mount.root = core::UndoOctalEscapes(core::TakeWord(line));
  mount.point = core::UndoOctalEscapes(core::TakeWord(line));
  // Options, then any number of tags such as "shared:1", then "-".
  for (std::string_view word = core::TakeWord(line); word != "-"; word = core::TakeWord(line)) {
    if (word.empty()) return std::nullopt;
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

const Mount* FindMount(const std::vector<Mount>& mounts, uint64_t id) {
  for (const Mount& mount : mounts) {
    if (mount.id == id) return &mount;
  }
  return nullptr;
}

}  // namespace attach
