// SPDX-License-Identifier: Apache-2.0
// Where each controller is mounted: v1, v2 and hybrid behind one interface.
//
// Source: the directories below the cgroup root, looked at once.
// Units:  none.
// Errors: ENOENT when there is no cgroup hierarchy below the root, ENOSYS on a kernel without
//         openat2(2) (Linux 5.6); errno of opening it otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/fd.h"
#include "core/base/result.h"
#include "core/cgroup/controller.h"

namespace core::cgroup {

enum class Layout : uint8_t { kV1, kV2, kHybrid };
enum class Version : uint8_t { kNone, kV1, kV2 };

std::string_view NameOf(Layout layout);

class Hierarchy {
 public:
  // `root` is where cgroups are mounted: the v2 mount itself, or the directory of v1 mounts.
  static Result<Hierarchy> Detect(const std::string& root);

  [[nodiscard]] Layout GetLayout() const { return layout_; }
  // kNone: the controller is not there, what it governs is the host's.
  [[nodiscard]] Version VersionOf(Controller controller) const { return At(controller).version; }
  // The root directory of the controller's hierarchy; -1 for kNone.
  [[nodiscard]] int RootFd(Controller controller) const {
    const auto& fd = At(controller).root;
    return fd ? fd->get() : -1;
  }
  // Equal for controllers that share a hierarchy.
  [[nodiscard]] uint32_t HierarchyId(Controller controller) const { return At(controller).id; }

  // Whether PathOf() may be asked: not where open_by_handle_at(2) is refused, as by the seccomp
  // filters of systemd-nspawn and LXC.
  [[nodiscard]] bool FindsById() const;
  // The path of the cgroup `id` (the inode of its directory) in the controller's hierarchy. ESTALE
  // when there is no such cgroup any more.
  [[nodiscard]] Result<std::string> PathOf(Controller controller, uint64_t id) const;

  // The paths in the text of /proc/<pid>/cgroup.
  // "4:memory:/docker/abc", "0::/system.slice"
  [[nodiscard]] CgroupPaths ParsePaths(std::string_view proc_pid_cgroup) const;

 private:
  struct Mount {
    Version version = Version::kNone;
    uint32_t id = 0;
    std::shared_ptr<Fd> root;
  };

  [[nodiscard]] const Mount& At(Controller controller) const {
    return mounts_[static_cast<size_t>(controller)];
  }
  // `is_real`: what is no file system of cgroups is left out.
  void DetectV1(int root_fd, bool is_real);
  void DetectV2(int root_fd, const char* name, bool is_real);

  Layout layout_ = Layout::kV1;
  std::array<Mount, kControllerCount> mounts_;
};

}  // namespace core::cgroup
