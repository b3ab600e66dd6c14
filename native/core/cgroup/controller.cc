// SPDX-License-Identifier: Apache-2.0
#include "core/cgroup/controller.h"

#include <string_view>

namespace core::cgroup {

std::string_view NameInV1(Controller controller) {
  switch (controller) {
    case Controller::kMemory:
      return "memory";
    case Controller::kCpu:
      return "cpu";
    case Controller::kCpuacct:
      return "cpuacct";
    case Controller::kCpuset:
      return "cpuset";
    case Controller::kIo:
      return "blkio";
    case Controller::kPids:
      return "pids";
    case Controller::kHugetlb:
      return "hugetlb";
    case Controller::kUnified:
      return "";
  }
  return "";
}

std::string_view NameInV2(Controller controller) {
  switch (controller) {
    case Controller::kIo:
      return "io";
    case Controller::kCpuacct:
      return "";
    case Controller::kMemory:
    case Controller::kCpu:
    case Controller::kCpuset:
    case Controller::kPids:
    case Controller::kHugetlb:
    case Controller::kUnified:
      return NameInV1(controller);
  }
  return "";
}

bool IsAtOrBelow(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/") return path.starts_with('/');
  if (!path.starts_with(ancestor)) return false;
  return path.size() == ancestor.size() || path[ancestor.size()] == '/';
}

std::string_view ParentOf(std::string_view path) {
  if (path.size() <= 1) return "";
  const auto slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

}  // namespace core::cgroup
