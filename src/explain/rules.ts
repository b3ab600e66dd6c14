// SPDX-License-Identifier: Apache-2.0
// How each number is made, as data: the words are those of docs/numbers.md. Pure.
import type { LimitKind } from './limits.js';

/** A kernel file and, where it has several numbers, the one of them; `*` is all that is in it. */
export type SourceName = readonly [file: string, key?: string];

export interface Rule {
  formula: string;
  /** Those that were read count; the others belong to another version of cgroups. */
  sources: readonly SourceName[];
  /** The limits that may have made it, the one that counts most first. */
  limits?: readonly LimitKind[];
}

const usage: SourceName[] = [['memory.current'], ['memory.usage_in_bytes']];
const memoryLimits: SourceName[] = [
  ['memory.max'],
  ['memory.stat', 'hierarchical_memory_limit'],
  ['meminfo', 'MemTotal'],
];
const quota: SourceName[] = [['cpu.max'], ['cpu.cfs_quota_us'], ['cpu.cfs_period_us']];
const cpus: SourceName[] = [
  ['cpuset.cpus.effective'],
  ['cpuset.effective_cpus'],
  ['cpuset.cpus'],
  ['online'],
  ...quota,
];
const usageOfEachCpu: SourceName = ['cpuacct.usage_all', '*'];
const userTime: SourceName[] = [['cpu.stat', 'user_usec'], ['cpuacct.usage_user'], usageOfEachCpu];
const systemTime: SourceName[] = [
  ['cpu.stat', 'system_usec'],
  ['cpuacct.usage_sys'],
  usageOfEachCpu,
];
const throttled: SourceName[] = [
  ['cpu.stat', 'throttled_usec'],
  ['cpu.stat', 'throttled_time'],
];
const cpuUsage: SourceName[] = [...new Set([...userTime, ...systemTime, ...throttled])];
const swapUsage: SourceName[] = [['memory.swap.current'], ['memory.stat', 'total_swap']];

/** v2's name of a memory.stat key to v1's. */
const v1Names: Record<string, string> = {
  file: 'total_cache',
  anon: 'total_rss',
  anon_thp: 'total_rss_huge',
  shmem: 'total_shmem',
  file_mapped: 'total_mapped_file',
  file_dirty: 'total_dirty',
  file_writeback: 'total_writeback',
  swapcached: 'total_swapcached',
};

function stat(...keys: string[]): SourceName[] {
  return keys.flatMap((key) => [
    ['memory.stat', key] as const,
    ['memory.stat', v1Names[key] ?? `total_${key}`] as const,
  ]);
}

function copied(key: string): Rule {
  return { formula: `${key}, at most the host's`, sources: stat(key) };
}

const hosts = (file: string, key: string): Rule => ({
  formula: "the host's: it is no container's",
  sources: [[file, key]],
});
const zero: Rule = { formula: '0: no container has any', sources: [] };
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

const swapTotal: Rule = {
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
    formula: 'MemTotal - usage, at least 0',
    sources: [...usage, ...memoryLimits],
    limits: ['memory'],
  },
  MemAvailable: {
    formula:
      "MemFree + active_file + inactive_file + slab_reclaimable, at most MemTotal and the host's",
    sources: [
      ...usage,
      ...stat('active_file', 'inactive_file'),
      ['memory.stat', 'slab_reclaimable'],
      ['meminfo', 'MemAvailable'],
    ],
    limits: ['memory'],
  },
  Buffers: { formula: '0: buffers are counted as Cached', sources: [] },
  Cached: copied('file'),
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
    formula: "SwapTotal - swap in use, at most the host's SwapFree",
    sources: [...swapUsage, ['meminfo', 'SwapFree']],
    limits: ['swap'],
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
    formula: 'slab; v1: kernel memory in use',
    sources: [['memory.stat', 'slab'], ['memory.kmem.usage_in_bytes']],
  },
  SReclaimable: copied('slab_reclaimable'),
  SUnreclaim: {
    formula: 'slab_unreclaimable; v1: kernel memory in use',
    sources: [['memory.stat', 'slab_unreclaimable'], ['memory.kmem.usage_in_bytes']],
  },
  KernelStack: copied('kernel_stack'),
  PageTables: copied('pagetables'),
  SecPageTables: copied('sec_pagetables'),
  CommitLimit: {
    formula: 'SwapTotal + MemTotal * overcommit_ratio / 100',
    sources: [['overcommit_ratio'], ...memoryLimits],
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

const zeroLines =
  /^(NFS_Unstable|Bounce|WritebackTmp|HardwareCorrupted|ShmemPmdMapped|FilePmdMapped|Cma\w+|Unaccepted|Balloon)$/;

const statRules: Record<string, Rule> = {
  user: { formula: 'user time of its cgroup since it started, in 1/100 s', sources: userTime },
  nice: { formula: 'nice time of its cgroup, in 1/100 s', sources: [['cpu.stat', 'nice_usec']] },
  system: {
    formula: 'system time of its cgroup since it started, in 1/100 s',
    sources: systemTime,
  },
  idle: {
    formula: 'CPUs * age - busy - steal, at least 0, in 1/100 s',
    sources: [...cpuUsage, ...cpus],
    limits: ['cpus'],
  },
  steal: { formula: 'throttled time, at most CPUs * age - busy, in 1/100 s', sources: cpuUsage },
};

const vmstatOther: Record<string, Rule> = {
  nr_free_pages: {
    formula: 'MemFree in pages',
    sources: [...usage, ...memoryLimits],
    limits: ['memory'],
  },
  nr_zone_write_pending: {
    formula: 'file_dirty + file_writeback, in pages',
    sources: stat('file_dirty', 'file_writeback'),
  },
  pgpgin: {
    formula: 'KiB read by its block devices',
    sources: [
      ['io.stat', '*'],
      ['blkio.throttle.io_service_bytes_recursive', '*'],
    ],
  },
  pgpgout: {
    formula: 'KiB written by its block devices',
    sources: [
      ['io.stat', '*'],
      ['blkio.throttle.io_service_bytes_recursive', '*'],
    ],
  },
};

/** vmstat's name of a memory.stat key where they differ. */
const vmstatKeys: Record<string, string> = {
  anon_pages: 'anon',
  mapped: 'file_mapped',
  file_pages: 'file',
  dirty: 'file_dirty',
  writeback: 'file_writeback',
  shmem: 'shmem',
  mlock: 'unevictable',
  swapcached: 'swapcached',
  shmem_hugepages: 'shmem_thp',
  file_hugepages: 'file_thp',
  anon_transparent_hugepages: 'anon_thp',
  kernel_stack: 'kernel_stack',
  page_table_pages: 'pagetables',
  sec_page_table_pages: 'sec_pagetables',
};

const loadRules: Record<string, Rule> = {
  running: { formula: 'its tasks in state R or D', sources: [] },
  tasks: { formula: 'its tasks', sources: [['pids.current']] },
  pid: { formula: 'its newest process, as it numbers it', sources: [] },
};
const load: Rule = {
  formula:
    "the kernel's decaying average of its tasks in state R or D, every 5 s; at first busy time / age",
  sources: cpuUsage,
};

const uptimeRules: Record<string, Rule> = {
  uptime: { formula: 'seconds since its init process started', sources: [] },
  idle: {
    formula: 'the idle column of /proc/stat, in seconds',
    sources: [...cpuUsage, ...cpus],
    limits: ['cpus'],
  },
};

const swapsRules: Record<string, Rule> = {
  size: swapTotal,
  used: { formula: 'SwapTotal - SwapFree', sources: swapUsage },
  priority: { formula: '0: swap of a container has no order', sources: [] },
};

const visible: Rule = {
  formula:
    'the ceil(quota / period) lowest CPUs of its cpuset that are online, at least 1; with cpu.count: cpuset all of them',
  sources: cpus,
  limits: ['cpus'],
};

const disks: Rule = {
  formula: 'what its cgroup did on the device; bytes as sectors of 512',
  sources: [
    ['io.stat', '*'],
    ...['throttle', 'bfq'].flatMap((policy) => [
      [`blkio.${policy}.io_serviced_recursive`, '*'] as const,
      [`blkio.${policy}.io_service_bytes_recursive`, '*'] as const,
    ]),
  ],
};
const diskZero: Rule = { formula: '0: a cgroup has no such counter', sources: [] };

/** The rule of one number of a file. */
export function ruleOf(file: string, name: string): Rule {
  switch (file) {
    case 'proc/meminfo':
      if (zeroLines.test(name)) return zero;
      return meminfoRules[name] ?? hosts('meminfo', name);
    case 'proc/stat':
      return statRule(name);
    case 'proc/vmstat':
      return vmstatRule(name);
    case 'proc/uptime':
      return uptimeRules[name] ?? zero;
    case 'proc/loadavg':
      return loadRules[name] ?? load;
    case 'proc/swaps':
      return swapsRules[name] ?? zero;
    case 'proc/diskstats':
      return /(reads|sectors_\w+|writes|discards)$/.test(name) ? disks : diskZero;
    case 'sys/devices/system/cpu/offline':
      return { formula: 'empty: a container has no CPUs that are off', sources: [] };
    default:
      return file.startsWith('proc/pressure/') ? pressure(file) : visible;
  }
}

function statRule(name: string): Rule {
  const [label = '', column] = name.split(' ');
  if (column !== undefined) {
    const rule = statRules[column] ?? { formula: '0: not counted per cgroup', sources: [] };
    if (label === 'cpu') return rule;
    return { ...rule, formula: `this CPU's share of: ${rule.formula}` };
  }
  if (name === 'procs_running')
    return { formula: 'its tasks in state R or D, at least 1', sources: [] };
  if (name === 'procs_blocked') return { formula: 'its tasks in state D', sources: [] };
  return hosts('stat', name);
}

function vmstatRule(name: string): Rule {
  const other = vmstatOther[name];
  if (other !== undefined) return other;
  const inPages = name.startsWith('nr_');
  const bare = name.replace(/^nr_(zone_)?/, '');
  const key = inPages ? (vmstatKeys[bare] ?? bare) : name;
  const formula = inPages ? `${key} in pages, at most the host's` : `${key}, at most the host's`;
  return { formula: `${formula}; 0 where the cgroup has none`, sources: stat(key) };
}

function pressure(file: string): Rule {
  const kind = file.slice('proc/pressure/'.length);
  return { formula: "its own cgroup's pressure", sources: [[`${kind}.pressure`, '*']] };
}
