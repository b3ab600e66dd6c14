// SPDX-License-Identifier: Apache-2.0
// The bytes of one file and all that they are made of.
//
// Source: the same reads that a render makes.
// Units:  as the names say.
// Errors: none.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/read_log.h"
#include "core/cgroup/memory_neighbours.h"

namespace core::engine {

struct Explanation {
  std::string text;
  std::string host_text;  // the host's file; empty where no container may see it
  bool is_hosts = false;  // the host's own bytes are the right ones for this view
  bool is_off = false;    // the configuration switches it off for this view
  std::string cgroup;     // the container root's path; "/" for the host's
  pid_t init_pid = 0;
  uint64_t age_usec = 0;
  std::string cpus;  // V under the host's numbers; empty when the file does not depend on it
  ReadLog inputs;    // in the order of reading

  // Those that limit the container's memory or swap, the container root first; only where the file
  // is about memory.
  std::vector<cgroup::MemoryLevelReport> memory_levels;
};

}  // namespace core::engine
