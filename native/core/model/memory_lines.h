// SPDX-License-Identifier: Apache-2.0
// Where the value of each line of /proc/meminfo comes from.
//
// Source: the project's contract for values, "meminfo and swaps"; fs/proc/meminfo.c,
//         meminfo_proc_show() and arch/x86/mm/pat/set_memory.c, arch_report_meminfo().
// Units:  as MemoryView.
// Errors: none; a line that is not here is the host's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "core/model/memory_view.h"

namespace core::model {

enum class LineSource : uint8_t {
  kView,       // `member` of MemoryView
  kHugePages,  // `huge_member` of MemoryView::huge_pages when there are any, else the host's
  kZero,       // nothing a container has
  kHost,
};

struct MemoryLine {
  std::string_view key;
  LineSource source = LineSource::kHost;
  uint64_t MemoryView::* member = nullptr;
  uint64_t HugePages::* huge_member = nullptr;
};

constexpr MemoryLine FromView(std::string_view key, uint64_t MemoryView::* member) {
  return {.key = key, .source = LineSource::kView, .member = member};
}
constexpr MemoryLine FromHugePages(std::string_view key, uint64_t HugePages::* member) {
  return {.key = key, .source = LineSource::kHugePages, .huge_member = member};
}
constexpr MemoryLine Zero(std::string_view key) {
  return {.key = key, .source = LineSource::kZero};
}
constexpr MemoryLine FromHost(std::string_view key) {
  return {.key = key};
}

// In the kernel's order. The host's lines stand here only to keep searches short.
inline constexpr std::array kMemoryLines{
    FromView("MemTotal", &MemoryView::mem_total),
    FromView("MemFree", &MemoryView::mem_free),
    FromView("MemAvailable", &MemoryView::mem_available),
    FromView("Buffers", &MemoryView::buffers),
    FromView("Cached", &MemoryView::cached),
    FromView("SwapCached", &MemoryView::swap_cached),
    FromView("Active", &MemoryView::active),
    FromView("Inactive", &MemoryView::inactive),
    FromView("Active(anon)", &MemoryView::active_anon),
    FromView("Inactive(anon)", &MemoryView::inactive_anon),
    FromView("Active(file)", &MemoryView::active_file),
    FromView("Inactive(file)", &MemoryView::inactive_file),
    FromView("Unevictable", &MemoryView::unevictable),
    FromView("Mlocked", &MemoryView::mlocked),
    FromView("SwapTotal", &MemoryView::swap_total),
    FromView("SwapFree", &MemoryView::swap_free),
    FromView("Zswap", &MemoryView::zswap),
    FromView("Zswapped", &MemoryView::zswapped),
    FromView("Dirty", &MemoryView::dirty),
    FromView("Writeback", &MemoryView::writeback),
    FromView("AnonPages", &MemoryView::anon_pages),
    FromView("Mapped", &MemoryView::mapped),
    FromView("Shmem", &MemoryView::shmem),
    FromView("KReclaimable", &MemoryView::k_reclaimable),
    FromView("Slab", &MemoryView::slab),
    FromView("SReclaimable", &MemoryView::s_reclaimable),
    FromView("SUnreclaim", &MemoryView::s_unreclaim),
    FromView("KernelStack", &MemoryView::kernel_stack),
    FromView("PageTables", &MemoryView::page_tables),
    FromView("SecPageTables", &MemoryView::sec_page_tables),
    Zero("NFS_Unstable"),
    Zero("Bounce"),
    Zero("WritebackTmp"),
    FromView("CommitLimit", &MemoryView::commit_limit),
    FromView("Committed_AS", &MemoryView::committed_as),
    FromHost("VmallocTotal"),
    FromHost("VmallocUsed"),
    FromHost("VmallocChunk"),
    FromView("Percpu", &MemoryView::percpu),
    Zero("HardwareCorrupted"),
    FromView("AnonHugePages", &MemoryView::anon_huge_pages),
    FromView("ShmemHugePages", &MemoryView::shmem_huge_pages),
    Zero("ShmemPmdMapped"),
    FromView("FileHugePages", &MemoryView::file_huge_pages),
    Zero("FilePmdMapped"),
    Zero("CmaTotal"),
    Zero("CmaFree"),
    Zero("Unaccepted"),
    Zero("Balloon"),
    FromHugePages("HugePages_Total", &HugePages::total),
    FromHugePages("HugePages_Free", &HugePages::free),
    FromHugePages("HugePages_Rsvd", &HugePages::rsvd),
    FromHugePages("HugePages_Surp", &HugePages::surp),
    FromHost("Hugepagesize"),
    FromHugePages("Hugetlb", &HugePages::hugetlb_kib),
    FromHost("DirectMap4k"),
    FromHost("DirectMap2M"),
    FromHost("DirectMap1G"),
};

}  // namespace core::model
