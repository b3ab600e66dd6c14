// SPDX-License-Identifier: Apache-2.0
// How each number is made: the words are those of docs/numbers.md. Pure.
import { meminfoRules, swapTotal, zeroLines } from './meminfo-rules.js';
import { hosts, memoryLimits, type Rule, stat, swapUsage, usage, zero } from './rule.js';
import {
  hostsCpu,
  hostsNumber,
  initStart,
  newestTask,
  type SourceName,
  taskLists,
  tasksIn,
} from './sources.js';

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
const noTime = '0: no cgroup but the root counts its time';

const statRules: Record<string, Rule> = {
  user: {
    formula: 'user time of its cgroup since it started, in 1/100 s',
    sources: userTime,
    absent: noTime,
  },
  nice: {
    formula: 'nice time of its cgroup, in 1/100 s',
    sources: [['cpu.stat', 'nice_usec']],
    absent: '0: its cgroup does not count nice time',
  },
  system: {
    formula: 'system time of its cgroup since it started, in 1/100 s',
    sources: systemTime,
    absent: noTime,
  },
  idle: {
    formula: 'CPUs * age - busy - steal, at least 0, in 1/100 s',
    sources: [...cpuUsage, ...cpus, initStart],
    limits: ['cpus'],
  },
  steal: {
    formula: 'throttled time, at most CPUs * age - busy, in 1/100 s',
    sources: cpuUsage,
    absent: noTime,
  },
};

const noIo = '0: its cgroup does not count what it reads and writes';

const vmstatOther: Record<string, Rule> = {
  nr_free_pages: {
    formula: 'MemFree in pages',
    sources: [...usage, ...memoryLimits],
    limits: ['free'],
  },
  nr_slab_unreclaimable: {
    formula: "slab_unreclaimable in pages, at most the host's; v1: kernel memory in use",
    sources: [['memory.stat', 'slab_unreclaimable'], ['memory.kmem.usage_in_bytes']],
    absent: '0: its cgroup does not count kernel memory',
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
      ['blkio.bfq.io_service_bytes_recursive', '*'],
    ],
    absent: noIo,
  },
  pgpgout: {
    formula: 'KiB written by its block devices',
    sources: [
      ['io.stat', '*'],
      ['blkio.throttle.io_service_bytes_recursive', '*'],
      ['blkio.bfq.io_service_bytes_recursive', '*'],
    ],
    absent: noIo,
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
  running: { formula: 'its tasks in state R or D', sources: [taskLists, tasksIn('RD')] },
  tasks: { formula: 'its tasks', sources: [['pids.current'], taskLists] },
  pid: {
    formula: 'its newest process, as it numbers it',
    sources: [taskLists, newestTask],
  },
};
const load: Rule = {
  formula:
    "the kernel's decaying average of its tasks in state R or D, every 5 s; at first busy time / age, at most its CPUs",
  sources: [...cpuUsage, ...cpus, initStart, taskLists, tasksIn('RD')],
};

const uptimeRules: Record<string, Rule> = {
  uptime: {
    formula: 'now - the start of its init process (field 22 of its stat, in 1/100 s since boot)',
    sources: [initStart],
  },
  idle: {
    formula: 'the idle column of /proc/stat, in seconds',
    sources: [...cpuUsage, ...cpus, initStart],
    limits: ['cpus'],
  },
};

const swapsRules: Record<string, Rule> = {
  size: swapTotal,
  used: {
    formula: 'SwapTotal - SwapFree',
    sources: [...swapUsage, ...swapTotal.sources, ['meminfo', 'SwapFree']],
  },
  priority: { formula: '0: swap of a container has no order', sources: [] },
};

const visible: Rule = {
  formula:
    'the ceil(quota / period) lowest CPUs of its cpuset that are online, at least 1; with cpu.count: cpuset all of them',
  sources: cpus,
  limits: ['cpus'],
};

const cpuInfoRules: Record<string, Rule> = {
  processor: {
    formula: "the host's number of this CPU; with cpu.numbering: virtual counted from 0",
    sources: [hostsCpu],
  },
  siblings: {
    formula: 'the CPUs of its package that are shown',
    sources: [...cpus, hostsCpu],
    limits: ['cpus'],
  },
  'cpu cores': {
    formula: 'the cores of its package that are shown',
    sources: [...cpus, hostsCpu],
    limits: ['cpus'],
  },
};

const slabInfoRules: Record<string, Rule> = {
  version: { formula: '2.1: the format of the header', sources: [] },
  caches: { formula: "0: caches are the kernel's, and no container's", sources: [] },
};

const disks: Rule = {
  formula: 'what its cgroup did on the device, 0 where it did nothing; bytes as sectors of 512',
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
    case 'proc/cpuinfo':
      return cpuInfoRule(name);
    case 'proc/slabinfo':
      return slabInfoRules[name] ?? zero;
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
    if (label === 'cpu' || rule.sources.length === 0) return rule;
    return { ...rule, formula: `this CPU's share of: ${rule.formula}` };
  }
  if (name === 'procs_running') {
    const sources = [taskLists, tasksIn('R')];
    return { formula: 'its tasks in state R, at least 1', sources };
  }
  if (name === 'procs_blocked') {
    return { formula: 'its tasks in state D', sources: [taskLists, tasksIn('D')] };
  }
  if (name !== 'btime') return hosts('stat', name);
  return {
    formula: "the host's minus the boottime offset of the reader's time namespace",
    sources: [['stat', name]],
  };
}

function cpuInfoRule(name: string): Rule {
  if (name === 'processors' || name === '# processors') return visible;
  const [, key] = /^cpu\d+ (.*)$/.exec(name) ?? [];
  if (key === undefined) return { formula: "the host's", sources: [hostsNumber] };
  return cpuInfoRules[key] ?? { formula: "the host's, of this CPU", sources: [hostsCpu] };
}

function vmstatRule(name: string): Rule {
  const other = vmstatOther[name];
  if (other !== undefined) return other;
  const inPages = name.startsWith('nr_');
  const bare = name.replace(/^nr_(zone_)?/, '');
  const key = inPages ? (vmstatKeys[bare] ?? bare) : name;
  const formula = inPages ? `${key} in pages, at most the host's` : `${key}, at most the host's`;
  const absent = `0: its cgroup does not count ${key}`;
  return { formula: `${formula}; 0 where the cgroup has none`, sources: stat(key), absent };
}

function pressure(file: string): Rule {
  const kind = file.slice('proc/pressure/'.length);
  return { formula: "its own cgroup's pressure", sources: [[`${kind}.pressure`, '*']] };
}
