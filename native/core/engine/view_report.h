// SPDX-License-Identifier: Apache-2.0
// What is told of a view to people and monitoring.
//
// Source: the view's cgroup, and what the engine counts.
// Units:  as the names say.
// Errors: none; `problem` says what could not be read.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "core/cgroup/cpu.h"

namespace core::engine {

struct ViewReport {
  uint64_t serial = 0;  // unlike every other view's of this engine
  std::string cgroup;   // the container root's path; "/" for the host's
  pid_t init_pid = 0;
  uint64_t age_usec = 0;
  uint64_t idle_usec = 0;  // since it was read last
  uint64_t reads = 0;
  uint64_t hits = 0;
  uint64_t readers = 0;  // tasks that read it in the last 100 ms

  // Absent where the host's root governs.
  std::optional<uint64_t> memory_total_bytes, memory_usage_bytes, memory_available_bytes;
  std::optional<uint64_t> memory_limit_bytes;  // absent when there is none
  // The ancestor whose limit leaves less than the container root's own; empty when there is none.
  std::string memory_room_level;
  std::optional<uint64_t> swap_total_bytes, swap_usage_bytes;

  std::string cpus;  // as the container sees them: "0-1,4"
  uint32_t cpu_count = 0;
  std::optional<cgroup::CpuQuota> quota;
  std::optional<uint64_t> user_usec, system_usec, throttled_usec;

  std::optional<uint64_t> tasks;
  std::optional<std::array<uint64_t, 3>> load_hundredths;
  // Share of the last 10 s in which some task waited, in hundredths of a percent.
  std::optional<uint64_t> pressure_cpu, pressure_memory, pressure_io;

  bool has_own_policy = false;
  std::string problem;  // empty when all could be read
};

}  // namespace core::engine
