// SPDX-License-Identifier: Apache-2.0
// /sys/devices/system/cpu as a container sees it: the host's tree, cut to the visible CPUs.
//
// Source: Documentation/admin-guide/cputopology.rst,
//         Documentation/ABI/testing/sysfs-devices-system-cpu.
// Units:  none. Paths are relative to sys/devices/system/cpu, under the host's CPU numbers; "" is
//         that directory itself.
// Errors: ENOENT for what the host does not have or the container does not see.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/model/visible_cpus.h"

namespace core::engine {

struct SysEntry {
  std::string name;        // as the container sees it
  std::string path;        // on the host
  unsigned char type = 0;  // DT_*
};

class SysTree {
 public:
  // `sys_cpu_fd` is the host's directory and must outlive the tree.
  explicit SysTree(int sys_cpu_fd) : root_(sys_cpu_fd) {}

  // The host's path of the entry that the container sees as `name` in the directory `path`; nullopt
  // for a CPU that it does not see. Whether the host has it is for Stat() to say.
  static std::optional<std::string> ChildPath(std::string_view path,
                                              std::string_view name,
                                              const model::VisibleCpus& cpus);
  // Whether `path` is in a CPU's directory at all.
  static bool IsPerCpu(std::string_view path);
  // Whether `path` is the directory of a frequency policy, which is there for some CPUs.
  static bool IsPolicy(std::string_view path);
  // Not in the directory of a CPU that is hidden, nor of a policy all of whose CPUs are.
  [[nodiscard]] bool IsVisible(std::string_view path, const model::VisibleCpus& cpus) const;

  [[nodiscard]] Result<struct stat> Stat(const std::string& path) const;
  [[nodiscard]] Result<std::string> ReadLink(const std::string& path) const;
  // Every visible entry of a directory, without "." and "..".
  [[nodiscard]] Result<std::vector<SysEntry>> List(const std::string& path,
                                                   const model::VisibleCpus& cpus) const;
  // A file's text: lists and masks of CPUs cut to the visible ones, everything else the host's.
  Status Read(const std::string& path,
              const model::VisibleCpus& cpus,
              FileBuffer& buffer,
              std::string& out) const;

 private:
  int root_;
};

}  // namespace core::engine
