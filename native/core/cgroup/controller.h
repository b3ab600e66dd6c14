// SPDX-License-Identifier: Apache-2.0
// The cgroup controllers this project reads, and a path in each of them.
//
// Source: /proc/<pid>/cgroup, cgroups(7).
// Units:  none.
// Errors: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace core::cgroup {

// kUnified is the v2 hierarchy itself: cgroup membership and pressure files, which need no
// controller.
enum class Controller : uint8_t {
  kMemory,
  kCpu,
  kCpuacct,
  kCpuset,
  kIo,
  kPids,
  kHugetlb,
  kUnified
};
inline constexpr size_t kControllerCount = 8;

inline constexpr std::array<Controller, kControllerCount> kControllers = {Controller::kMemory,
                                                                          Controller::kCpu,
                                                                          Controller::kCpuacct,
                                                                          Controller::kCpuset,
                                                                          Controller::kIo,
                                                                          Controller::kPids,
                                                                          Controller::kHugetlb,
                                                                          Controller::kUnified};

// Where membership is looked for first: the controllers that every container manager sets.
inline constexpr std::array kPrimaryOrder = {Controller::kCpu,
                                             Controller::kMemory,
                                             Controller::kPids,
                                             Controller::kCpuset,
                                             Controller::kIo,
                                             Controller::kCpuacct,
                                             Controller::kUnified};

// As in /proc/<pid>/cgroup lines of v1 hierarchies.
std::string_view NameInV1(Controller controller);
// As in cgroup.controllers; "" where v2 needs no controller for it (CPU time, membership).
std::string_view NameInV2(Controller controller);

// One path per controller, each absolute in its hierarchy ("/" is the hierarchy's root); "" for a
// controller that is not mounted. On unified hosts all are equal.
class CgroupPaths {
 public:
  [[nodiscard]] const std::string& Of(Controller controller) const {
    return paths_[static_cast<size_t>(controller)];
  }
  void Set(Controller controller, std::string_view path) {
    paths_[static_cast<size_t>(controller)].assign(path);
  }
  bool operator==(const CgroupPaths&) const = default;

 private:
  std::array<std::string, kControllerCount> paths_;
};

// True when `path` is `ancestor` or below it; "/" is everybody's ancestor.
bool IsAtOrBelow(std::string_view path, std::string_view ancestor);

// "/a/b" of "/a/b/c"; "/" of "/a"; "/" has no parent and gives "".
std::string_view ParentOf(std::string_view path);

}  // namespace core::cgroup
