// SPDX-License-Identifier: Apache-2.0
// What the engine is told by the configuration.
//
// Source: none.
// Units:  in the names and types.
// Errors: none; values are checked where they are read (src/config).
#pragma once

#include <bitset>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/engine/fallbacks.h"
#include "core/model/visible_cpus.h"

namespace core::engine {

// What a reader gets when its view cannot be made.
enum class OnFailure : uint8_t { kHost, kError };

// Files of the catalog by their index; the last one stands for the rest of
// sys/devices/system/cpu.
using FileSet = std::bitset<Fallbacks::kMaxFiles>;

// Fixed for the life of an engine.
struct EngineOptions {
  std::string proc_root = "/proc";
  std::string cgroup_root = "/sys/fs/cgroup";
  std::string sys_root = "/sys";
  size_t views_max = 4096;
  int64_t held_fds_max = 512;      // of cgroups' files
  bool pressure_triggers = false;  // whether programs may write them
  size_t pidfds_max = 1024;        // of callers, and again of namespaces' init processes
  // For captured hosts: the time since boot at which they were captured; it does not go on.
  std::optional<Nanoseconds> boottime = std::nullopt;
};

// May change while reads are under way.
struct Policy {
  Nanoseconds freshness = std::chrono::milliseconds(10);  // 0: render for every read
  model::CpuPolicy cpu;
  bool swap = true;
  bool loadavg = true;
  FileSet files = FileSet().set();  // the others show the host's bytes
  OnFailure on_failure = OnFailure::kHost;
};

}  // namespace core::engine
