// SPDX-License-Identifier: Apache-2.0
// How the numbers of /proc/meminfo are made: the words are those of docs/numbers.md. Pure.
import { copied, memoryLimits, type Rule, stat, swapUsage, usage } from './rule.js';
import { eachLevel } from './sources.js';

const hugePages = (key: string): Rule => ({
  formula: "the hugetlb limit and usage in pages; the host's without a limit",
  sources: [
    ['hugetlb.*.max'],
    ['hugetlb.*.limit_in_bytes'],
    ['hugetlb.*.current'],
    ['hugetlb.*.usage_in_bytes'],
    ['meminfo', 'Hugepagesize'],
    ['meminfo', key],
  ],
  limits: ['hugetlb'],
});

export const swapTotal: Rule = {
  formula: "the smaller of the swap limit and the host's swap; 0 with swap off",
  sources: [
    ['memory.swap.max'],
    ['memory.stat', 'hierarchical_memsw_limit'],
    ['meminfo', 'SwapTotal'],
  ],
  limits: ['swap'],
};

export const meminfoRules: Record<string, Rule> = {
  MemTotal: {
    formula: "the smaller of the memory limit and the host's memory",
    sources: memoryLimits,
    limits: ['memory'],
  },
  MemFree: {
    formula: "the smallest limit - usage of all levels; the host's where none has a limit",
    sources: [...usage, ...memoryLimits, ['memory.limit_in_bytes']],
    limits: ['free'],
  },
  MemAvailable: {
    formula:
      "the smallest min(max, high) - usage + active_file + inactive_file + slab_reclaimable of all levels, at most MemTotal and the host's",
    sources: [
      ...usage,
      ...memoryLimits,
      ['memory.limit_in_bytes'],
      ['memory.high'],
      eachLevel('memory.stat', 'active_file', 'inactive_file', 'slab_reclaimable'),
      eachLevel('memory.stat', 'total_active_file', 'total_inactive_file'),
      ['meminfo', 'MemAvailable'],
    ],
    limits: ['available'],
  },
  Buffers: { formula: '0: buffers are counted as Cached', sources: [] },
  Cached: {
    ...copied('file'),
    formula: "file, at most the host's and what MemTotal leaves beside MemFree and SReclaimable",
  },
  SwapCached: copied('swapcached'),
  Active: { formula: 'active_anon + active_file', sources: stat('active_anon', 'active_file') },
  Inactive: {
    formula: 'inactive_anon + inactive_file',
    sources: stat('inactive_anon', 'inactive_file'),
  },
  'Active(anon)': copied('active_anon'),
  'Inactive(anon)': copied('inactive_anon'),
  'Active(file)': copied('active_file'),
  'Inactive(file)': copied('inactive_file'),
  Unevictable: copied('unevictable'),
  Mlocked: copied('unevictable'),
  SwapTotal: swapTotal,
  SwapFree: {
    formula: "the smallest swap limit - swap in use of all levels, at most the host's SwapFree",
    sources: [
      eachLevel('memory.swap.current'),
      eachLevel('memory.stat', 'total_swap'),
      ['memory.swap.max'],
      ['memory.memsw.limit_in_bytes'],
      ['meminfo', 'SwapFree'],
    ],
    limits: ['swapFree'],
  },
  Zswap: copied('zswap'),
  Zswapped: copied('zswapped'),
  Dirty: copied('file_dirty'),
  Writeback: copied('file_writeback'),
  AnonPages: copied('anon'),
  Mapped: copied('file_mapped'),
  Shmem: copied('shmem'),
  KReclaimable: copied('slab_reclaimable'),
  Slab: {
    formula: 'SReclaimable + SUnreclaim; v1: kernel memory in use',
    sources: [...stat('slab_reclaimable', 'slab_unreclaimable'), ['memory.kmem.usage_in_bytes']],
    absent: '0: its cgroup does not count kernel memory',
  },
  SReclaimable: copied('slab_reclaimable'),
  SUnreclaim: {
    formula: 'slab_unreclaimable; v1: kernel memory in use',
    sources: [['memory.stat', 'slab_unreclaimable'], ['memory.kmem.usage_in_bytes']],
    absent: '0: its cgroup does not count kernel memory',
  },
  KernelStack: copied('kernel_stack'),
  PageTables: copied('pagetables'),
  SecPageTables: copied('sec_pagetables'),
  CommitLimit: {
    formula:
      'SwapTotal + (overcommit_kbytes where it is set, at most MemTotal; else MemTotal * overcommit_ratio / 100)',
    sources: [['overcommit_kbytes'], ['overcommit_ratio'], ...memoryLimits],
    limits: ['memory', 'swap'],
  },
  Committed_AS: {
    formula: 'anon + shmem + swap in use',
    sources: [...stat('anon', 'shmem'), ...swapUsage],
  },
  Percpu: copied('percpu'),
  AnonHugePages: copied('anon_thp'),
  ShmemHugePages: copied('shmem_thp'),
  FileHugePages: copied('file_thp'),
  HugePages_Total: hugePages('HugePages_Total'),
  HugePages_Free: hugePages('HugePages_Free'),
  HugePages_Rsvd: hugePages('HugePages_Rsvd'),
  HugePages_Surp: hugePages('HugePages_Surp'),
  Hugetlb: hugePages('Hugetlb'),
};

export const zeroLines =
  /^(NFS_Unstable|Bounce|WritebackTmp|HardwareCorrupted|ShmemPmdMapped|FilePmdMapped|Cma\w+|Unaccepted|Balloon)$/;
