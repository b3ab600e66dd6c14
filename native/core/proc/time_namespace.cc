// SPDX-License-Identifier: Apache-2.0
#include "core/proc/time_namespace.h"

#include <sys/types.h>

#include <cstdint>
#include <string_view>

#include "core/base/read_file.h"
#include "core/base/text.h"
#include "core/proc/pid.h"

namespace core::proc {

int64_t ParseBoottimeOffset(std::string_view timens_offsets) {
  while (!timens_offsets.empty()) {
    std::string_view line = TakeLine(timens_offsets);
    if (TakeWord(line) == "boottime") return ParseI64(TakeWord(line)).value_or(0);
  }
  return 0;
}

TimeNamespaces::TimeNamespaces(const PidReader& pids) : pids_(pids) {
  // A captured host's processes are not there to be looked at.
  if (!pids.IsProcfs()) return;
  const auto own = pids.ReadOwnNamespace(Namespace::kTime);
  if (own) own_ = *own;
}

int64_t TimeNamespaces::OffsetOf(pid_t pid, FileBuffer& buffer) const {
  return Read(pid, Namespace::kTime, buffer);
}

int64_t TimeNamespaces::OffsetOfChildren(pid_t pid, FileBuffer& buffer) const {
  return Read(pid, Namespace::kTimeForChildren, buffer);
}

int64_t TimeNamespaces::Read(pid_t pid, Namespace which, FileBuffer& buffer) const {
  if (own_ == 0 || pid <= 0) return 0;
  const auto theirs = pids_.ReadNamespace(pid, which);
  if (!theirs || *theirs == own_) return 0;
  const auto text = pids_.ReadText(pid, "timens_offsets", buffer);
  return text ? ParseBoottimeOffset(*text) : 0;
}

}  // namespace core::proc
