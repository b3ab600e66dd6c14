// SPDX-License-Identifier: Apache-2.0
#include "fuzz/targets.h"

#include <sys/mman.h>
#include <unistd.h>

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
#include "testing/every_parser.h"

namespace fuzz {
namespace {

using fuse_layer::Journal;
using fuse_layer::RequestSlot;

constexpr std::array kSystemTargets{
    ParserCheck{.name = "journal", .run = RunJournal},
    ParserCheck{.name = "cgroup_paths", .run = RunCgroupPaths},
};

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
