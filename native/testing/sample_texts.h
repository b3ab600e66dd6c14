// SPDX-License-Identifier: Apache-2.0
// Texts of every kernel file that core parses, and some that no kernel writes.
//
// Source: Linux 6.18 (x86_64), 6.6 (s390x, POWER), 6.1 (arm).
// Units:  none.
// Errors: none.
#pragma once

#include <array>
#include <string_view>

namespace testing {

inline constexpr std::string_view kMemInfoText =
    "MemTotal:       24684084 kB\n"
    "MemFree:        24323668 kB\n"
    "MemAvailable:   24348932 kB\n"
    "Buffers:            1684 kB\n"
    "Cached:           209656 kB\n"
    "Active(anon):       1532 kB\n"
    "SwapTotal:       1048576 kB\n"
    "SwapFree:        1000000 kB\n"
    "VmallocTotal:   34359738367 kB\n"
    "HardwareCorrupted:     0 kB\n"
    "HugePages_Total:       4\n"
    "HugePages_Free:        4\n"
    "Hugepagesize:       2048 kB\n"
    "Hugetlb:            8192 kB\n"
    "FutureLine:            7 kB\n";

inline constexpr std::string_view kMemoryStatV2Text =
    "anon 1597440\nfile 2899968\nkernel 500000\nkernel_stack 49152\nshmem 8192\n"
    "file_mapped 69632\nactive_file 1302528\ninactive_file 1597440\nslab_reclaimable 200000\n"
    "slab_unreclaimable 100000\nslab 300000\nworkingset_refault_file 402\npgfault 44166\n";

inline constexpr std::string_view kMemoryStatV1Text =
    "cache 1\nrss 2\nhierarchical_memory_limit 67108864\n"
    "hierarchical_memsw_limit 9223372036854771712\ntotal_cache 2899968\ntotal_rss 1716224\n"
    "total_rss_huge 0\ntotal_mapped_file 69632\ntotal_swap 4096\n";

inline constexpr std::string_view kCpuInfoX86Text =
    "processor\t: 0\nmodel name\t: AMD EPYC\nphysical id\t: 0\nsiblings\t: 2\ncore id\t\t: 0\n"
    "cpu cores\t: 1\npower management:\n\n"
    "processor\t: 1\nmodel name\t: AMD EPYC\nphysical id\t: 0\nsiblings\t: 2\ncore id\t\t: 0\n"
    "cpu cores\t: 1\npower management:\n\n";

inline constexpr std::string_view kCpuInfoArmText =
    "processor\t: 0\nBogoMIPS\t: 108.00\nCPU part\t: 0xd08\n\n"
    "processor\t: 1\nBogoMIPS\t: 108.00\nCPU part\t: 0xd08\n\n"
    "Hardware\t: BCM2711\nRevision\t: c03111\nSerial\t\t: 100000003a4b5c6d\n";

inline constexpr std::string_view kCpuInfoS390Text =
    "vendor_id       : IBM/S390\n# processors    : 2\nmax thread id   : 0\n"
    "processor 0: version = FF,  identification = 2733E8,  machine = 2964\n"
    "processor 1: version = FF,  identification = 2733E8,  machine = 2964\n"
    "\ncpu number      : 0\nphysical id     : 1\ncore id         : 0\nsiblings        : 2\n"
    "\ncpu number      : 1\nphysical id     : 1\ncore id         : 1\nsiblings        : 2\n";

inline constexpr std::array kSampleTexts{
    kMemInfoText,
    kMemoryStatV2Text,
    kMemoryStatV1Text,
    kCpuInfoX86Text,
    kCpuInfoArmText,
    kCpuInfoS390Text,
    std::string_view(
        "cpu  3557 0 2032 30689 299 0 46 108 0 0\ncpu0 3557 0 2032 30689 299 0 46 108\n"
        "intr 137278 0 0 7\nctxt 308744\nbtime 1795438808\nprocesses 5397\n"
        "procs_running 1\nprocs_blocked 0\nsoftirq 120381 0 16493\n"),
    std::string_view(" 254       0 vda 30846 8980 1547122 8494 8711 6534 1968008 5493 0 4648 14382 "
                     "4826 58 258232 362 1055 51\n   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n"),
    std::string_view("nr_free_pages 1112333\nnr_dirty 81\npgfault 2171928\n"),
    std::string_view("usage_usec 5000\nuser_usec 3000\nsystem_usec 2000\nnice_usec 10\n"
                     "nr_periods 4\nthrottled_usec 100\n"),
    std::string_view("nr_periods 4\nnr_throttled 2\nthrottled_time 1234567\n"),
    std::string_view("cpu user system\n0 1234567 765432\n1 0 0\n"),
    std::string_view("50000 100000\n"),
    std::string_view("max 100000\n"),
    std::string_view("9223372036854771712\n"),
    std::string_view("254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n8:0 8:16 "
                     "rbytes=1 cost.usage=3\n"),
    std::string_view("254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 1\n254:0 Total 5\nTotal 5\n"),
    std::string_view("0-3,8,1024-2047\n"),
    std::string_view("ffffffff,0000000f\n"),
    // No kernel writes these.
    std::string_view("18446744073709551615 18446744073709551615\n"),
    std::string_view("18446744073709551616\n"),
    std::string_view("processor\t: 4294967296\n"),
    std::string_view("4294967296:0 rbytes=1\n"),
    std::string_view("0-8192\n"),
    std::string_view("MemTotal\0:\0\n", 12),
    std::string_view("\n\n\n: : :\n= = =\n"),
    std::string_view("\xff\xfe\x80 \xff\n"),
};

}  // namespace testing
