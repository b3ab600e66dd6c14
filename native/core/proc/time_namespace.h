// SPDX-License-Identifier: Apache-2.0
// By how much a task's time namespace has moved the time of boot.
//
// Source: time_namespaces(7); /proc/<pid>/timens_offsets, which is of the namespace that children
//         get: of the task's own unless it has made one and not executed a program since.
// Units:  seconds.
// Errors: none; a task that is gone or not ours to look at, and a kernel without such namespaces,
//         have moved nothing.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/read_file.h"
#include "core/proc/pid.h"

namespace core::proc {

// "monotonic 864000 0\nboottime -864000 0\n" to -864000; 0 for anything else.
int64_t ParseBoottimeOffset(std::string_view timens_offsets);

class TimeNamespaces {
 public:
  // `pids` must outlive this.
  explicit TimeNamespaces(const PidReader& pids);

  // As the task itself sees the clock.
  [[nodiscard]] int64_t OffsetOf(pid_t pid, FileBuffer& buffer) const;
  // As the processes that it starts see it.
  [[nodiscard]] int64_t OffsetOfChildren(pid_t pid, FileBuffer& buffer) const;

 private:
  [[nodiscard]] int64_t Read(pid_t pid, Namespace which, FileBuffer& buffer) const;

  const PidReader& pids_;
  uint64_t own_ = 0;  // 0: the kernel has none
};

}  // namespace core::proc
