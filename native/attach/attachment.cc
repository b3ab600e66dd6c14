// SPDX-License-Identifier: Apache-2.0
#include "attach/attachment.h"

#include <string.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attach/file_set.h"
#include "attach/mount_table.h"
#include "attach/mount_types.h"
#include "attach/process.h"
#include "attach/propagation.h"
#include "attach/source.h"
#include "attach/target.h"
#include "core/base/fd.h"
#include "core/base/result.h"

namespace attach {
namespace {

using core::Error;
using core::Fd;
using core::Result;
using core::Status;
using core::SystemError;
using core::Unit;

std::string Describe(const Error& error) {
  return std::string(strerrordesc_np(error.errno_value)) + ", " + error.operation + " " +
         error.path;
}

// What the container shows of the processes is its own: mounted over the host's /proc, the files
// would be seen by all who share it.
Status CheckProc(uint64_t host_device, const Fd& root) {
  const auto proc = OpenTarget(root, "/proc");
  if (!proc) return proc.error();
  if (proc->device != host_device) return Unit{};
  return Error{.errno_value = EXDEV, .operation = "use the host's /proc in", .path = "/proc"};
}

enum class Cover : uint8_t { kNothing, kLensfs, kDeadLensfs, kOther };

Cover CoverOf(const Target& target, std::string_view type) {
  if (type == kLensfsType && target.is_mount_point) {
    return IsDead(target) ? Cover::kDeadLensfs : Cover::kLensfs;
  }
  // A file below a mounted directory of ours, or what LXCFS has mounted, is covered in turn.
  const bool is_known = type == "proc" || type == "sysfs" || type == kLensfsType;
  return is_known || type == kLxcfsType ? Cover::kNothing : Cover::kOther;
}

class Attacher {
 public:
  // `root` and `propagation` outlive it.
  Attacher(const Process* process, const Fd& root, Propagation& propagation, Outcome& outcome)
      : root_(root), propagation_(propagation), types_(process), outcome_(outcome) {}

  void AttachOne(std::string_view item, const Result<Fd>& source) {
    const std::string path = std::string("/").append(item);
    const auto target = OpenTarget(root_, path);
    // An older kernel, or one without pressure information, has it nowhere.
    if (!target && core::IsMissing(target.error())) return;
    if (!target) return Leave(path, Describe(target.error()));
    const std::string type = types_.Of(*target);
    switch (CoverOf(*target, type)) {
      case Cover::kLensfs:
        outcome_.already.push_back(path);
        return;
      case Cover::kOther:
        return Leave(path, "covered by " + type);
      case Cover::kNothing:
      case Cover::kDeadLensfs:
        break;
    }
    if (!source) return Leave(path, Describe(source.error()));
    if (auto reason = propagation_.WhyNot(*target)) return Leave(path, std::move(*reason));
    const Status mounted = CoverOf(*target, type) == Cover::kDeadLensfs
                               ? ReplaceMount(*target, *source)
                               : MountOver(*target, *source);
    if (!mounted) return Leave(path, Describe(mounted.error()));
    if (const auto id = MountIdOf(*source)) types_.Learn(*id, kLensfsType);
    outcome_.done.push_back(path);
  }

 private:
  void Leave(const std::string& path, std::string reason) {
    outcome_.left.push_back({.path = path, .reason = std::move(reason)});
  }

  const Fd& root_;
  Propagation& propagation_;
  MountTypes types_;
  Outcome& outcome_;
};

}  // namespace

Result<Outcome> Attach(const Container& container,
                       const Places& places,
                       const FileSet& files,
                       const std::function<void()>& on_step) {
  struct stat host_proc{};
  if (stat("/proc", &host_proc) != 0) return SystemError("stat", "/proc");
  Propagation propagation(container.process);
  Sources sources(places);
  std::vector<std::pair<std::string_view, Result<Fd>>> clones;
  for (size_t index = 0; index < kItems.size(); ++index) {
    if (!files.test(index)) continue;
    const std::string_view path = kItems[index].path;
    clones.emplace_back(path, sources.Clone(path));
    on_step();
  }
  if (container.process != nullptr) {
    const Status entered = container.process->Enter(container.root);
    if (!entered) return entered.error();
  }
  const auto root = OpenRoot(container.process == nullptr ? container.root : "/");
  if (!root) return root.error();
  const Status is_own = CheckProc(host_proc.st_dev, *root);
  if (!is_own) return is_own.error();
  Outcome outcome;
  Attacher attacher(container.process, *root, propagation, outcome);
  for (const auto& [path, clone] : clones) {
    attacher.AttachOne(path, clone);
    on_step();
  }
  return outcome;
}

}  // namespace attach
