// SPDX-License-Identifier: Apache-2.0
// The host's own files, read at most once per freshness window for all views together.
//
// Source: /proc and /sys/devices/system/cpu of the host.
// Units:  as the records say.
// Errors: those of reading and parsing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/fd.h"
#include "core/base/fresh.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"

namespace core::engine {

// A parsed file together with the text its record points into.
template <typename Record>
struct HostRecord {
  FileBuffer buffer;
  std::string_view text;
  Record record{};
};

struct SwapsHeader {
  std::string_view line;  // with its newline
};

class HostFiles {
 public:
  template <typename Record>
  using Ref = std::shared_ptr<const HostRecord<Record>>;

  static Result<std::unique_ptr<HostFiles>> Open(const std::string& proc_root,
                                                 const std::string& sys_root);

  Result<Ref<proc::MemInfo>> MemInfo(Nanoseconds now, Nanoseconds max_age);
  Result<Ref<proc::Stat>> Stat(Nanoseconds now, Nanoseconds max_age);
  // `is_32bit`: as a reader with personality(PER_LINUX32) is shown it.
  Result<Ref<proc::CpuInfo>> CpuInfo(Nanoseconds now, Nanoseconds max_age, bool is_32bit);
  Result<Ref<std::vector<proc::DiskLine>>> DiskStats(Nanoseconds now, Nanoseconds max_age);
  Result<Ref<std::vector<proc::VmStatLine>>> VmStat(Nanoseconds now, Nanoseconds max_age);
  Result<Ref<SwapsHeader>> Swaps(Nanoseconds now, Nanoseconds max_age);
  Result<Ref<CpuSet>> OnlineCpus(Nanoseconds now, Nanoseconds max_age);
  // vm.overcommit_ratio, percent; 50, the kernel's default, when it cannot be read.
  uint64_t OvercommitRatio();
  // vm.overcommit_kbytes, KiB; 0, which leaves it to the ratio, when it cannot be read.
  uint64_t OvercommitKib();

  // A host file as it is: `path` below "proc/" or "sys/".
  Result<std::string_view> ReadRaw(std::string_view path, FileBuffer& buffer) const;
  // Whether the host has the file at all.
  [[nodiscard]] bool Has(std::string_view path) const;
  // The directory that the files below sys/devices/system/cpu are in; -1 when there is none.
  [[nodiscard]] int SysCpuFd() const { return sys_cpu_.get(); }

 private:
  // A host file that stays open: seq_file answers every read from offset 0 with new text.
  struct Source {
    Fd fd;
    const char* path = "";
    bool is_one_piece = false;  // one read gives all of it, see ReadOnce()
  };

  HostFiles(Fd proc, Fd sys);
  template <typename Record, typename Parse>
  Result<Ref<Record>> Get(Fresh<HostRecord<Record>>& fresh,
                          const Source& source,
                          Nanoseconds now,
                          Nanoseconds max_age,
                          Parse parse);

  Fd proc_, sys_, sys_cpu_;
  Source meminfo_source_, stat_source_, cpuinfo_source_, diskstats_source_, vmstat_source_,
      swaps_source_, online_source_, overcommit_source_, overcommit_kib_source_;
  Fresh<HostRecord<proc::MemInfo>> meminfo_;
  Fresh<HostRecord<proc::Stat>> stat_;
  Fresh<HostRecord<proc::CpuInfo>> cpuinfo_, cpuinfo_32bit_;
  Fresh<HostRecord<std::vector<proc::DiskLine>>> diskstats_;
  Fresh<HostRecord<std::vector<proc::VmStatLine>>> vmstat_;
  Fresh<HostRecord<SwapsHeader>> swaps_;
  Fresh<HostRecord<CpuSet>> online_;
  Fresh<HostRecord<uint64_t>> overcommit_ratio_, overcommit_kib_;
};

}  // namespace core::engine
