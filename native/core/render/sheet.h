// SPDX-License-Identifier: Apache-2.0
// All that a renderer may look at: the records of one view at one moment.
//
// Source: none.
// Units:  as the records say.
// Errors: none; what the catalog's `needs` of a file does not name is left empty.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/model/cpu_time.h"
#include "core/model/disk_view.h"
#include "core/model/load_average.h"
#include "core/model/memory_view.h"
#include "core/model/visible_cpus.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"

namespace core::render {

struct TaskCounts {
  uint64_t running = 0;   // R and D tasks of the container
  uint64_t blocked = 0;   // the D tasks among them
  uint64_t total = 0;     // all tasks
  uint64_t last_pid = 0;  // as the container sees it
  bool is_estimate = false;
};

struct Sheet {
  // The host.
  const proc::MemInfo* host_meminfo = nullptr;
  const proc::Stat* host_stat = nullptr;
  const proc::CpuInfo* host_cpuinfo = nullptr;
  const std::vector<proc::VmStatLine>* host_vmstat = nullptr;
  std::string_view host_swaps_header;  // the first line of /proc/swaps with its newline

  // The view.
  uint64_t age_usec = 0;
  model::MemoryView memory;
  cgroup::MemoryStat memory_stat;
  uint64_t memory_usage_bytes = 0;  // the container root's own
  uint64_t swap_usage_bytes = 0;    // the same of swap
  model::VisibleCpus cpus;
  model::CpuTimes cpu_times;
  model::LoadAverage load;
  TaskCounts tasks;
  std::vector<model::DiskRow> disks;
  std::string_view pressure;  // the kernel's text of the one pressure file that is rendered
};

}  // namespace core::render
