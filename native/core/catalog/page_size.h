// SPDX-License-Identifier: Apache-2.0
// How large the files are that live in the page cache: a size that no text of the file exceeds, and
// that depends on nothing but the host, so that it stays the same as numbers grow and processes
// follow each other.
//
// Source: the renderers; counters are given 14 digits (in USER_HZ on 4096 CPUs: 77 years).
// Units:  bytes.
// Errors: none.
#pragma once

#include <cstddef>

namespace core::catalog {

// The most that a file may have that lives in one page.
inline constexpr size_t kPageBytes = 4096;

// What sizes depend on.
struct HostLayout {
  size_t online_cpus = 1;
  size_t meminfo_lines = 0;
  size_t meminfo_bytes = 0;
};

size_t LoadAveragePageSize(const HostLayout& host);
size_t MemInfoPageSize(const HostLayout& host);
size_t PressurePageSize(const HostLayout& host);
size_t StatPageSize(const HostLayout& host);
size_t SwapsPageSize(const HostLayout& host);
size_t UptimePageSize(const HostLayout& host);
size_t CpuListPageSize(const HostLayout& host);

}  // namespace core::catalog
