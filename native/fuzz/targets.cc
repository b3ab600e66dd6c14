// SPDX-License-Identifier: Apache-2.0
#include "fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/fd.h"
#include "core/cgroup/controller.h"
#include "core/cgroup/hierarchy.h"
#include "fuse/journal.h"
#include "hook/config_edit.h"
#include "testing/every_parser.h"

namespace fuzz {
namespace {

using fuse_layer::Journal;
using fuse_layer::RequestSlot;

constexpr std::array kSystemTargets{
    ParserCheck{.name = "journal", .run = RunJournal},
    ParserCheck{.name = "cgroup_paths", .run = RunCgroupPaths},
    ParserCheck{.name = "config_edit", .run = RunConfigEdit},
};

// How many bytes both begin with.
size_t CommonBegin(std::string_view one, std::string_view other) {
  const size_t size = std::min(one.size(), other.size());
  return static_cast<size_t>(
      std::mismatch(one.begin(), one.begin() + static_cast<ptrdiff_t>(size), other.begin()).first -
      one.begin());
}

size_t CommonEnd(std::string_view one, std::string_view other) {
  const size_t size = std::min(one.size(), other.size());
  return static_cast<size_t>(
      std::mismatch(one.rbegin(), one.rbegin() + static_cast<ptrdiff_t>(size), other.rbegin())
          .first -
      one.rbegin());
}

}  // namespace

bool RunJournal(std::string_view memory) {
  const core::Fd fd(memfd_create("lensfs-fuzz", MFD_CLOEXEC));
  if (!fd.valid()) return false;
  const auto written = write(fd.get(), memory.data(), memory.size());
  if (written != static_cast<ssize_t>(memory.size())) return false;
  const auto journal = Journal::Map(fd.get(), 0);
  if (!journal) return true;
  bool is_good = (*journal)->InitRequest().size() <= Journal::kBytes;
  for (size_t index = 0; index < Journal::kSlots; ++index) {
    RequestSlot& slot = (*journal)->Slot(index);
    is_good &= slot.Length() <= slot.Room().size();
    slot.CountDeath();
    slot.Clear();
    is_good &= slot.Length() == 0 && slot.Deaths() == 0;
  }
  (*journal)->SaveInitRequest(memory);
  return is_good && (*journal)->InitRequest().size() <= memory.size();
}

bool RunCgroupPaths(std::string_view text) {
  static const auto hierarchy = core::cgroup::Hierarchy::Detect("/sys/fs/cgroup");
  if (!hierarchy) return true;
  const core::cgroup::CgroupPaths paths = hierarchy->ParsePaths(text);
  for (const core::cgroup::Controller controller : core::cgroup::kControllers) {
    const std::string_view path = paths.Of(controller);
    if (!path.empty() && !path.starts_with('/')) return false;
    if (!path.empty() && !core::cgroup::IsAtOrBelow(path, "/")) return false;
  }
  return true;
}

bool RunConfigEdit(std::string_view config) {
  static const hook::OciHook added{
      .stage = "createRuntime", .path = "/hook", .json = R"({"path":"/hook","args":["hook"]})"};
  constexpr std::string_view kReplaced = "null";  // hooks that are none
  const auto edited = hook::AddHook(config, added);
  if (!edited || !*edited) return true;
  const std::string_view text = **edited;
  if (CommonBegin(config, text) + CommonEnd(config, text) + kReplaced.size() < config.size()) {
    return false;
  }
  const auto again = hook::AddHook(text, added);
  return again && !*again;
}

std::optional<ParserCheck> FindTarget(std::string_view name) {
  for (const ParserCheck& check : testing::ParserChecks()) {
    if (check.name == name) return check;
  }
  for (const ParserCheck& check : kSystemTargets) {
    if (check.name == name) return check;
  }
  return std::nullopt;
}

void RunOrAbort(const ParserCheck& target, std::string_view text) {
  if (target.run(text)) return;
  (void)std::fprintf(
      stderr, "failed: %.*s\n", static_cast<int>(target.name.size()), target.name.data());
  std::abort();
}

}  // namespace fuzz
