// SPDX-License-Identifier: Apache-2.0
#include "core/catalog/page_size.h"

#include <algorithm>
#include <cstddef>

#include "core/proc/stat.h"

namespace core::catalog {
namespace {

constexpr size_t kCounterDigits = 14;

size_t DigitsOf(size_t number) {
  size_t digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

size_t StatSizeFor(size_t cpus) {
  // "cpu12 ", five counters that count, " 0 0 0 ", " 0 0" and the newline.
  const size_t per_cpu = 3 + DigitsOf(cpus) + 1 + 5 * (kCounterDigits + 1) + 12;
  // intr, ctxt, btime, processes, procs_running, procs_blocked, softirq.
  constexpr size_t kOthers = 7 * (14 + 1 + kCounterDigits + 1);
  // " 0" of intr, and softirq's numbers of 32 bits.
  constexpr size_t kKinds = 2 + proc::Stat::kSoftirqsMax * (1 + 10);
  return (cpus + 1) * per_cpu + kOthers + kKinds;
}

}  // namespace

// "100000.00 100000.00 100000.00 4194304/4194304 4194304"
size_t LoadAveragePageSize(const HostLayout& /*host*/) {
  return 64;
}

// A container shows the host's lines; each number may have eight digits more.
size_t MemInfoPageSize(const HostLayout& host) {
  return host.meminfo_bytes + 8 * host.meminfo_lines;
}

// Two lines of three averages and a total.
size_t PressurePageSize(const HostLayout& /*host*/) {
  return 192;
}

// With room for CPUs that are added while the machine runs, where a page has that room.
size_t StatPageSize(const HostLayout& host) {
  const size_t grown = StatSizeFor(std::max<size_t>(8, 2 * host.online_cpus));
  return grown <= kPageBytes ? grown : StatSizeFor(host.online_cpus);
}

// The header and one row.
size_t SwapsPageSize(const HostLayout& /*host*/) {
  return 192;
}

size_t UptimePageSize(const HostLayout& /*host*/) {
  return 64;
}

// At worst every other CPU by itself: "0,2,4".
size_t CpuListPageSize(const HostLayout& host) {
  return std::max<size_t>(32, host.online_cpus * (DigitsOf(host.online_cpus) + 1));
}

}  // namespace core::catalog
