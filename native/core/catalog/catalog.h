// SPDX-License-Identifier: Apache-2.0
// The one table of virtual files: adding a file is one line in catalog.cc, a renderer and a test.
//
// Source: the project's contract for values, one section per file.
// Units:  none.
// Errors: none; a path that is not in the table has no entry.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/write_text.h"
#include "core/catalog/page_size.h"
#include "core/render/sheet.h"

namespace core::catalog {

// What a renderer looks at, and so what must be read before it is called.
enum class Need : uint16_t {
  kMemory = 1 << 0,        // sheet.memory, memory_stat, host_meminfo
  kCpus = 1 << 1,          // sheet.cpus
  kCpuTime = 1 << 2,       // sheet.cpus, cpu_times, age_usec
  kLoad = 1 << 3,          // sheet.load, tasks
  kTasks = 1 << 4,         // sheet.tasks
  kDisks = 1 << 5,         // sheet.disks
  kHostStat = 1 << 6,      // sheet.host_stat
  kHostCpuInfo = 1 << 7,   // sheet.host_cpuinfo
  kHostVmStat = 1 << 8,    // sheet.host_vmstat
  kHostSwaps = 1 << 9,     // sheet.host_swaps_header
  kPressureCpu = 1 << 10,  // sheet.pressure, of one kind
  kPressureMemory = 1 << 11,
  kPressureIo = 1 << 12,
};

class Needs {
 public:
  constexpr Needs() = default;
  constexpr Needs(Need need)  // NOLINT(google-explicit-constructor): one need is a set of one
      : bits_(static_cast<uint32_t>(need)) {}
  [[nodiscard]] constexpr bool Has(Need need) const {
    return (bits_ & static_cast<uint32_t>(need)) != 0;
  }
  friend constexpr Needs operator|(Needs a, Needs b) {
    a.bits_ |= b.bits_;
    return a;
  }

 private:
  uint32_t bits_ = 0;
};

constexpr Needs operator|(Need a, Need b) {
  return Needs(a) | Needs(b);
}

// kPage: at most 4096 bytes on most hosts, so that a view's copy can live in one page of the page
// cache. kSnapshot: any size; every open handle reads from one rendered snapshot.
enum class Consistency : uint8_t { kPage, kSnapshot };

struct FileEntry {
  std::string_view path;  // below the host's root: "proc/meminfo", "sys/devices/..."
  mode_t mode = 0444;
  Needs needs = {};
  Consistency consistency = Consistency::kSnapshot;
  // kPage: the size on a host; larger than kPageBytes where the file is no page after all.
  size_t (*page_size)(const HostLayout&) = nullptr;
  // What fills a page up: blanks before the last newline; or newlines behind it, for what is read
  // as a list and must end where it ends (glibc's get_nprocs() refuses a blank).
  char padding = ' ';
  void (*render)(const render::Sheet&, TextWriter&) = nullptr;
};

// In the order of their paths.
std::span<const FileEntry> Files();

// The index in Files() of `path`, with or without a slash in front.
std::optional<size_t> FindFile(std::string_view path);

}  // namespace core::catalog
