// SPDX-License-Identifier: Apache-2.0
#include "core/engine/host_files.h"

#include <fcntl.h>
#include <sys/personality.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/cpu_set.h"
#include "core/base/fd.h"
#include "core/base/fresh.h"
#include "core/base/read_file.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/proc/cpuinfo.h"
#include "core/proc/diskstats.h"
#include "core/proc/meminfo.h"
#include "core/proc/stat.h"
#include "core/proc/vmstat.h"

namespace core::engine {
namespace {

constexpr std::string_view kSysCpu = "sys/devices/system/cpu/";

// Makes the calling thread read files as a 32-bit program does, for one scope.
class ScopedPersonality {
 public:
  explicit ScopedPersonality(bool is_32bit) {
    if (is_32bit) old_ = personality(PER_LINUX32);
  }
  ~ScopedPersonality() {
    if (old_ >= 0) personality(static_cast<uint32_t>(old_));
  }
  ScopedPersonality(const ScopedPersonality&) = delete;
  ScopedPersonality& operator=(const ScopedPersonality&) = delete;

 private:
  int old_ = -1;
};

Result<SwapsHeader> ParseSwapsHeader(std::string_view text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) return ParseErrorAt(1, "swaps");
  return SwapsHeader{.line = text.substr(0, end + 1)};
}

Result<uint64_t> ParseSysctl(std::string_view text) {
  const auto ratio = ParseU64(Trim(text));
  if (!ratio) return ParseErrorAt(1, "overcommit_ratio");
  return *ratio;
}

}  // namespace

HostFiles::HostFiles(Fd proc, Fd sys) : proc_(std::move(proc)), sys_(std::move(sys)) {
  const auto open = [](const Fd& dir, const char* path) {
    auto fd = OpenAt(dir.get(), path);
    return Source{.fd = fd ? std::move(*fd) : Fd(), .path = path};
  };
  meminfo_source_ = open(proc_, "meminfo");
  stat_source_ = open(proc_, "stat");
  cpuinfo_source_ = open(proc_, "cpuinfo");
  diskstats_source_ = open(proc_, "diskstats");
  vmstat_source_ = open(proc_, "vmstat");
  swaps_source_ = open(proc_, "swaps");
  overcommit_source_ = open(proc_, "sys/vm/overcommit_ratio");
  overcommit_kib_source_ = open(proc_, "sys/vm/overcommit_kbytes");
  online_source_ = open(sys_, "devices/system/cpu/online");
  for (Source* const source : {&meminfo_source_, &stat_source_, &online_source_}) {
    source->is_one_piece = true;
  }
  auto sys_cpu = OpenDirectoryAt(sys_.get(), "devices/system/cpu");
  if (sys_cpu) sys_cpu_ = std::move(*sys_cpu);
}

Result<std::unique_ptr<HostFiles>> HostFiles::Open(const std::string& proc_root,
                                                   const std::string& sys_root) {
  auto proc = OpenDirectoryAt(AT_FDCWD, proc_root.c_str());
  if (!proc) return proc.error();
  auto sys = OpenDirectoryAt(AT_FDCWD, sys_root.c_str());
  if (!sys) return sys.error();
  return std::unique_ptr<HostFiles>(new HostFiles(std::move(*proc), std::move(*sys)));
}

template <typename Record, typename Parse>
Result<HostFiles::Ref<Record>> HostFiles::Get(Fresh<HostRecord<Record>>& fresh,
                                              const Source& source,
                                              Nanoseconds now,
                                              Nanoseconds max_age,
                                              Parse parse) {
  return fresh.Get(now, max_age, [&](HostRecord<Record>& into) -> Status {
    if (!source.fd.valid()) {
      return Error{.errno_value = ENOENT, .operation = "open", .path = source.path};
    }
    const auto text = source.is_one_piece ? ReadOnce(source.fd.get(), into.buffer, source.path)
                                          : ReadWhole(source.fd.get(), into.buffer, source.path);
    if (!text) return text.error();
    auto record = parse(*text);
    if (!record) return record.error();
    into.text = *text;
    into.record = std::move(*record);
    return Unit{};
  });
}

Result<HostFiles::Ref<proc::MemInfo>> HostFiles::MemInfo(Nanoseconds now, Nanoseconds max_age) {
  return Get(meminfo_, meminfo_source_, now, max_age, proc::ParseMemInfo);
}

Result<HostFiles::Ref<proc::Stat>> HostFiles::Stat(Nanoseconds now, Nanoseconds max_age) {
  return Get(stat_, stat_source_, now, max_age, proc::ParseStat);
}

Result<HostFiles::Ref<proc::CpuInfo>> HostFiles::CpuInfo(Nanoseconds now,
                                                         Nanoseconds max_age,
                                                         bool is_32bit) {
  const ScopedPersonality personality(is_32bit);
  return Get(
      is_32bit ? cpuinfo_32bit_ : cpuinfo_, cpuinfo_source_, now, max_age, proc::ParseCpuInfo);
}

Result<HostFiles::Ref<std::vector<proc::DiskLine>>> HostFiles::DiskStats(Nanoseconds now,
                                                                         Nanoseconds max_age) {
  return Get(diskstats_, diskstats_source_, now, max_age, proc::ParseDiskStats);
}

Result<HostFiles::Ref<std::vector<proc::VmStatLine>>> HostFiles::VmStat(Nanoseconds now,
                                                                        Nanoseconds max_age) {
  return Get(vmstat_, vmstat_source_, now, max_age, proc::ParseVmStat);
}

Result<HostFiles::Ref<SwapsHeader>> HostFiles::Swaps(Nanoseconds now, Nanoseconds max_age) {
  return Get(swaps_, swaps_source_, now, max_age, ParseSwapsHeader);
}

Result<HostFiles::Ref<CpuSet>> HostFiles::OnlineCpus(Nanoseconds now, Nanoseconds max_age) {
  return Get(online_, online_source_, now, max_age, ParseCpuList);
}

// A sysctl that changes by hand: once a second is often enough.
uint64_t HostFiles::OvercommitRatio() {
  constexpr uint64_t kDefault = 50;
  const auto ratio = Get(
      overcommit_ratio_, overcommit_source_, NowMonotonic(), std::chrono::seconds(1), ParseSysctl);
  // The analyzer sees no tie of bool to value; NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
  return ratio ? (*ratio)->record : kDefault;
}

uint64_t HostFiles::OvercommitKib() {
  const auto kib = Get(overcommit_kib_,
                       overcommit_kib_source_,
                       NowMonotonic(),
                       std::chrono::seconds(1),
                       ParseSysctl);
  // The analyzer sees no tie of bool to value; NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
  return kib ? (*kib)->record : 0;
}

Result<std::string_view> HostFiles::ReadRaw(std::string_view path, FileBuffer& buffer) const {
  if (path.starts_with("proc/")) {
    return ReadFileAt(proc_.get(), std::string(path.substr(5)).c_str(), buffer);
  }
  if (path.starts_with(kSysCpu)) {
    return ReadFileAt(sys_cpu_.get(), std::string(path.substr(kSysCpu.size())).c_str(), buffer);
  }
  return Error{.errno_value = ENOENT, .operation = "open", .path = std::string(path)};
}

bool HostFiles::Has(std::string_view path) const {
  struct stat status{};
  const bool is_proc = path.starts_with("proc/");
  const std::string relative(path.substr(is_proc ? 5 : 4));
  return fstatat(is_proc ? proc_.get() : sys_.get(), relative.c_str(), &status, 0) == 0;
}

}  // namespace core::engine
