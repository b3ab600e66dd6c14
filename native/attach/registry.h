// SPDX-License-Identifier: Apache-2.0
// Which containers have had files that were taken away, in a file that the next daemon reads.
//
// A number of a mount namespace is used again. A container is known by processes of its namespace,
// each by its number and its start: one of them that is still there, and still in it, shows that
// the namespace is the same. A container without such a process is forgotten.
//
// Source: one line a container in <run-dir>/withdrawn, "NAMESPACE PID:START[,PID:START...] FILE
// ...";
//         proc(5), starttime in /proc/<pid>/stat; namespaces(7).
// Units:  starttime is in clock ticks since boot.
// Errors: none; a line that is none of ours is skipped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attach/file_set.h"

namespace attach {

// Of a mount namespace.
struct Holder {
  uint64_t space = 0;       // the namespace's number
  std::vector<pid_t> pids;  // processes in it; the first one stands for the container
};

// Every mount namespace but the caller's own that a process which can be seen is in.
std::vector<Holder> ListHolders();

struct Withdrawn {
  uint64_t space = 0;
  std::string processes;  // "PID:START[,PID:START...]"
  FileSet files;
};

// The beginning of a container's line, and the rest of it. The former looks at its processes.
std::string FormatHolder(const Holder& holder);
std::string FormatFiles(const FileSet& files);
std::vector<Withdrawn> ParseWithdrawn(std::string_view text);

// A process of the container, if it is still there.
std::optional<pid_t> FindProcess(const Withdrawn& container);

}  // namespace attach
