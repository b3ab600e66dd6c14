// SPDX-License-Identifier: Apache-2.0
#include "core/catalog/catalog.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "core/catalog/page_size.h"
#include "core/render/render.h"

namespace core::catalog {
namespace {

using enum Need;
using enum Consistency;
using render::RenderCpuInfo;
using render::RenderCpuOffline;
using render::RenderCpuOnline;
using render::RenderDiskStats;
using render::RenderLoadAverage;
using render::RenderMemInfo;
using render::RenderPressure;
using render::RenderSlabInfo;
using render::RenderStat;
using render::RenderSwaps;
using render::RenderUptime;
using render::RenderVmStat;

// clang-format off: one line per file.
constexpr std::array kFiles = {
    FileEntry{.path = "proc/cpuinfo", .needs = kCpus | kHostCpuInfo, .render = RenderCpuInfo},
    FileEntry{.path = "proc/diskstats", .needs = kDisks, .render = RenderDiskStats},
    FileEntry{.path = "proc/loadavg", .needs = kLoad, .consistency = kPage, .page_size = LoadAveragePageSize, .render = RenderLoadAverage},
    FileEntry{.path = "proc/meminfo", .needs = kMemory, .consistency = kPage, .page_size = MemInfoPageSize, .render = RenderMemInfo},
    FileEntry{.path = "proc/pressure/cpu", .needs = kPressureCpu, .consistency = kPage, .page_size = PressurePageSize, .render = RenderPressure},
    FileEntry{.path = "proc/pressure/io", .needs = kPressureIo, .consistency = kPage, .page_size = PressurePageSize, .render = RenderPressure},
    FileEntry{.path = "proc/pressure/memory", .needs = kPressureMemory, .consistency = kPage, .page_size = PressurePageSize, .render = RenderPressure},
    FileEntry{.path = "proc/slabinfo", .mode = 0400, .render = RenderSlabInfo},
    FileEntry{.path = "proc/stat", .needs = kCpuTime | kTasks | kHostStat, .consistency = kPage, .page_size = StatPageSize, .render = RenderStat},
    FileEntry{.path = "proc/swaps", .needs = kMemory | kHostSwaps, .consistency = kPage, .page_size = SwapsPageSize, .render = RenderSwaps},
    FileEntry{.path = "proc/uptime", .needs = kCpuTime, .consistency = kPage, .page_size = UptimePageSize, .render = RenderUptime},
    FileEntry{.path = "proc/vmstat", .needs = kMemory | kDisks | kHostVmStat, .render = RenderVmStat},
    FileEntry{.path = "sys/devices/system/cpu/offline", .render = RenderCpuOffline},
    FileEntry{.path = "sys/devices/system/cpu/online", .needs = kCpus, .consistency = kPage, .page_size = CpuListPageSize, .padding = '\n', .render = RenderCpuOnline},
    FileEntry{.path = "sys/devices/system/cpu/possible", .needs = kCpus, .consistency = kPage, .page_size = CpuListPageSize, .padding = '\n', .render = RenderCpuOnline},
    FileEntry{.path = "sys/devices/system/cpu/present", .needs = kCpus, .consistency = kPage, .page_size = CpuListPageSize, .padding = '\n', .render = RenderCpuOnline},
};
// clang-format on

}  // namespace

std::span<const FileEntry> Files() {
  return kFiles;
}

std::optional<size_t> FindFile(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  for (size_t index = 0; index < kFiles.size(); ++index) {
    if (kFiles[index].path == path) return index;
  }
  return std::nullopt;
}

}  // namespace core::catalog
