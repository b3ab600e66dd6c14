// SPDX-License-Identifier: Apache-2.0
// The 64-bit members of core's records, by name.
//
// Source: the records' headers; a member that is missing here cannot be seen by a test.
// Units:  as the records.
// Errors: none.
#pragma once

#include <array>

#include "core/cgroup/cpu.h"
#include "core/cgroup/io.h"
#include "core/cgroup/memory.h"
#include "core/model/cpu_time.h"
#include "core/model/disk_view.h"
#include "core/model/memory_view.h"
#include "core/proc/diskstats.h"
#include "core/proc/stat.h"
#include "core/render/sheet.h"
#include "testing/convert.h"

// One record's member under its own name.
#define TESTING_MEMBER(record, name) \
  Member<record> {                   \
    #name, &record::name             \
  }

namespace testing {

inline constexpr std::array kStat{
    TESTING_MEMBER(core::proc::Stat, user),
    TESTING_MEMBER(core::proc::Stat, nice),
    TESTING_MEMBER(core::proc::Stat, system),
    TESTING_MEMBER(core::proc::Stat, idle),
    TESTING_MEMBER(core::proc::Stat, iowait),
    TESTING_MEMBER(core::proc::Stat, irq),
    TESTING_MEMBER(core::proc::Stat, softirq_time),
    TESTING_MEMBER(core::proc::Stat, steal),
    TESTING_MEMBER(core::proc::Stat, guest),
    TESTING_MEMBER(core::proc::Stat, guest_nice),
    TESTING_MEMBER(core::proc::Stat, intr),
    TESTING_MEMBER(core::proc::Stat, ctxt),
    TESTING_MEMBER(core::proc::Stat, btime),
    TESTING_MEMBER(core::proc::Stat, processes),
    TESTING_MEMBER(core::proc::Stat, procs_running),
    TESTING_MEMBER(core::proc::Stat, procs_blocked),
    TESTING_MEMBER(core::proc::Stat, softirq),
};

inline constexpr std::array kDiskLine{
    TESTING_MEMBER(core::proc::DiskLine, reads),
    TESTING_MEMBER(core::proc::DiskLine, read_sectors),
    TESTING_MEMBER(core::proc::DiskLine, writes),
    TESTING_MEMBER(core::proc::DiskLine, write_sectors),
    TESTING_MEMBER(core::proc::DiskLine, discards),
    TESTING_MEMBER(core::proc::DiskLine, discard_sectors),
};

inline constexpr std::array kMemoryStat{
    TESTING_MEMBER(core::cgroup::MemoryStat, anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, file),
    TESTING_MEMBER(core::cgroup::MemoryStat, shmem),
    TESTING_MEMBER(core::cgroup::MemoryStat, file_mapped),
    TESTING_MEMBER(core::cgroup::MemoryStat, file_dirty),
    TESTING_MEMBER(core::cgroup::MemoryStat, file_writeback),
    TESTING_MEMBER(core::cgroup::MemoryStat, active_anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, inactive_anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, active_file),
    TESTING_MEMBER(core::cgroup::MemoryStat, inactive_file),
    TESTING_MEMBER(core::cgroup::MemoryStat, unevictable),
    TESTING_MEMBER(core::cgroup::MemoryStat, slab_reclaimable),
    TESTING_MEMBER(core::cgroup::MemoryStat, slab_unreclaimable),
    TESTING_MEMBER(core::cgroup::MemoryStat, slab),
    TESTING_MEMBER(core::cgroup::MemoryStat, kernel_stack),
    TESTING_MEMBER(core::cgroup::MemoryStat, pagetables),
    TESTING_MEMBER(core::cgroup::MemoryStat, sec_pagetables),
    TESTING_MEMBER(core::cgroup::MemoryStat, percpu),
    TESTING_MEMBER(core::cgroup::MemoryStat, anon_thp),
    TESTING_MEMBER(core::cgroup::MemoryStat, shmem_thp),
    TESTING_MEMBER(core::cgroup::MemoryStat, file_thp),
    TESTING_MEMBER(core::cgroup::MemoryStat, zswap),
    TESTING_MEMBER(core::cgroup::MemoryStat, zswapped),
    TESTING_MEMBER(core::cgroup::MemoryStat, swapcached),
    TESTING_MEMBER(core::cgroup::MemoryStat, total_swap),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgfault),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgmajfault),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgscan),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgsteal),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgactivate),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgdeactivate),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgrefill),
    TESTING_MEMBER(core::cgroup::MemoryStat, pglazyfree),
    TESTING_MEMBER(core::cgroup::MemoryStat, pglazyfreed),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgscan_kswapd),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgscan_direct),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgsteal_kswapd),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgsteal_direct),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgscan_khugepaged),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgscan_proactive),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgsteal_khugepaged),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgsteal_proactive),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_refault_anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_refault_file),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_activate_anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_activate_file),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_nodereclaim),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_restore_anon),
    TESTING_MEMBER(core::cgroup::MemoryStat, workingset_restore_file),
    TESTING_MEMBER(core::cgroup::MemoryStat, thp_fault_alloc),
    TESTING_MEMBER(core::cgroup::MemoryStat, thp_collapse_alloc),
    TESTING_MEMBER(core::cgroup::MemoryStat, thp_swpout),
    TESTING_MEMBER(core::cgroup::MemoryStat, thp_swpout_fallback),
    TESTING_MEMBER(core::cgroup::MemoryStat, pswpin),
    TESTING_MEMBER(core::cgroup::MemoryStat, pswpout),
    TESTING_MEMBER(core::cgroup::MemoryStat, zswpin),
    TESTING_MEMBER(core::cgroup::MemoryStat, zswpout),
    TESTING_MEMBER(core::cgroup::MemoryStat, zswpwb),
    TESTING_MEMBER(core::cgroup::MemoryStat, swpin_zero),
    TESTING_MEMBER(core::cgroup::MemoryStat, swpout_zero),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgpgin),
    TESTING_MEMBER(core::cgroup::MemoryStat, pgpgout),
};

inline constexpr std::array kHugeTlb{
    TESTING_MEMBER(core::cgroup::HugeTlb, limit_bytes),
    TESTING_MEMBER(core::cgroup::HugeTlb, usage_bytes),
};

inline constexpr std::array kCpuUsage{
    TESTING_MEMBER(core::cgroup::CpuUsage, user_usec),
    TESTING_MEMBER(core::cgroup::CpuUsage, nice_usec),
    TESTING_MEMBER(core::cgroup::CpuUsage, system_usec),
    TESTING_MEMBER(core::cgroup::CpuUsage, throttled_usec),
};

inline constexpr std::array kCpuUsageOfOne{
    TESTING_MEMBER(core::cgroup::CpuUsageOfOne, user_usec),
    TESTING_MEMBER(core::cgroup::CpuUsageOfOne, system_usec),
};

inline constexpr std::array kCpuQuota{
    TESTING_MEMBER(core::cgroup::CpuQuota, quota_usec),
    TESTING_MEMBER(core::cgroup::CpuQuota, period_usec),
};

inline constexpr std::array kIoDevice{
    TESTING_MEMBER(core::cgroup::IoDevice, rbytes),
    TESTING_MEMBER(core::cgroup::IoDevice, wbytes),
    TESTING_MEMBER(core::cgroup::IoDevice, dbytes),
    TESTING_MEMBER(core::cgroup::IoDevice, rios),
    TESTING_MEMBER(core::cgroup::IoDevice, wios),
    TESTING_MEMBER(core::cgroup::IoDevice, dios),
};

inline constexpr std::array kCpuTime{
    TESTING_MEMBER(core::model::CpuTime, user_usec),
    TESTING_MEMBER(core::model::CpuTime, nice_usec),
    TESTING_MEMBER(core::model::CpuTime, system_usec),
    TESTING_MEMBER(core::model::CpuTime, idle_usec),
    TESTING_MEMBER(core::model::CpuTime, steal_usec),
};

inline constexpr std::array kMemoryView{
    TESTING_MEMBER(core::model::MemoryView, mem_total),
    TESTING_MEMBER(core::model::MemoryView, mem_free),
    TESTING_MEMBER(core::model::MemoryView, mem_available),
    TESTING_MEMBER(core::model::MemoryView, buffers),
    TESTING_MEMBER(core::model::MemoryView, cached),
    TESTING_MEMBER(core::model::MemoryView, swap_cached),
    TESTING_MEMBER(core::model::MemoryView, active),
    TESTING_MEMBER(core::model::MemoryView, inactive),
    TESTING_MEMBER(core::model::MemoryView, active_anon),
    TESTING_MEMBER(core::model::MemoryView, inactive_anon),
    TESTING_MEMBER(core::model::MemoryView, active_file),
    TESTING_MEMBER(core::model::MemoryView, inactive_file),
    TESTING_MEMBER(core::model::MemoryView, unevictable),
    TESTING_MEMBER(core::model::MemoryView, mlocked),
    TESTING_MEMBER(core::model::MemoryView, swap_total),
    TESTING_MEMBER(core::model::MemoryView, swap_free),
    TESTING_MEMBER(core::model::MemoryView, zswap),
    TESTING_MEMBER(core::model::MemoryView, zswapped),
    TESTING_MEMBER(core::model::MemoryView, dirty),
    TESTING_MEMBER(core::model::MemoryView, writeback),
    TESTING_MEMBER(core::model::MemoryView, anon_pages),
    TESTING_MEMBER(core::model::MemoryView, mapped),
    TESTING_MEMBER(core::model::MemoryView, shmem),
    TESTING_MEMBER(core::model::MemoryView, k_reclaimable),
    TESTING_MEMBER(core::model::MemoryView, slab),
    TESTING_MEMBER(core::model::MemoryView, s_reclaimable),
    TESTING_MEMBER(core::model::MemoryView, s_unreclaim),
    TESTING_MEMBER(core::model::MemoryView, kernel_stack),
    TESTING_MEMBER(core::model::MemoryView, page_tables),
    TESTING_MEMBER(core::model::MemoryView, sec_page_tables),
    TESTING_MEMBER(core::model::MemoryView, percpu),
    TESTING_MEMBER(core::model::MemoryView, commit_limit),
    TESTING_MEMBER(core::model::MemoryView, committed_as),
    TESTING_MEMBER(core::model::MemoryView, anon_huge_pages),
    TESTING_MEMBER(core::model::MemoryView, shmem_huge_pages),
    TESTING_MEMBER(core::model::MemoryView, file_huge_pages),
};

inline constexpr std::array kHugePages{
    TESTING_MEMBER(core::model::HugePages, total),
    TESTING_MEMBER(core::model::HugePages, free),
    TESTING_MEMBER(core::model::HugePages, rsvd),
    TESTING_MEMBER(core::model::HugePages, surp),
    TESTING_MEMBER(core::model::HugePages, hugetlb_kib),
};

inline constexpr std::array kDiskRow{
    TESTING_MEMBER(core::model::DiskRow, reads),
    TESTING_MEMBER(core::model::DiskRow, read_sectors),
    TESTING_MEMBER(core::model::DiskRow, writes),
    TESTING_MEMBER(core::model::DiskRow, write_sectors),
    TESTING_MEMBER(core::model::DiskRow, discards),
    TESTING_MEMBER(core::model::DiskRow, discard_sectors),
};

inline constexpr std::array kTaskCounts{
    TESTING_MEMBER(core::render::TaskCounts, running),
    TESTING_MEMBER(core::render::TaskCounts, blocked),
    TESTING_MEMBER(core::render::TaskCounts, total),
    TESTING_MEMBER(core::render::TaskCounts, last_pid),
};

}  // namespace testing

#undef TESTING_MEMBER
