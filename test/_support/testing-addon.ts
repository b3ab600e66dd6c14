// SPDX-License-Identifier: Apache-2.0
// The testing addon (native/testing/), typed. Members have their C++ names; 64-bit numbers are
// bigint on the way out, and bigint or number on the way in.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { CapturedEngine, CapturedEngineOptions } from './captured-engine.js';

type Counters<Key extends string> = Record<Key, bigint>;
/** What a function takes: the members that matter, the others are 0. */
type Input<Record> = { [Key in keyof Record]?: Record[Key] | number };

export interface MemInfoLine {
  label: string;
  value: bigint;
  has_unit: boolean;
}

export type Stat = Counters<
  | 'user'
  | 'nice'
  | 'system'
  | 'idle'
  | 'iowait'
  | 'irq'
  | 'softirq_time'
  | 'steal'
  | 'guest'
  | 'guest_nice'
  | 'intr'
  | 'ctxt'
  | 'btime'
  | 'processes'
  | 'procs_running'
  | 'procs_blocked'
  | 'softirq'
> & { softirqs: bigint[] };

export interface CpuInfoBlock {
  cpu: number;
  text: string;
  physical_id: string;
  core_id: string;
  siblings: string;
  cpu_cores: string;
}

export interface CpuInfo {
  head: string;
  blocks: CpuInfoBlock[];
  sections: CpuInfoBlock[];
  tail: string;
  is_s390: boolean;
}

type DiskCounters = Counters<
  'reads' | 'read_sectors' | 'writes' | 'write_sectors' | 'discards' | 'discard_sectors'
>;

/** A line of the host's diskstats, or a row of a view. */
export type DiskLine = DiskCounters & {
  major: number;
  minor: number;
  name: string;
  value_count: number;
};

export interface VmStatLine {
  key: string;
  value: bigint;
}

export type MemoryStat = Counters<
  | 'anon'
  | 'file'
  | 'shmem'
  | 'file_mapped'
  | 'file_dirty'
  | 'file_writeback'
  | 'active_anon'
  | 'inactive_anon'
  | 'active_file'
  | 'inactive_file'
  | 'unevictable'
  | 'slab_reclaimable'
  | 'slab_unreclaimable'
  | 'slab'
  | 'kernel_stack'
  | 'pagetables'
  | 'sec_pagetables'
  | 'percpu'
  | 'anon_thp'
  | 'shmem_thp'
  | 'file_thp'
  | 'zswap'
  | 'zswapped'
  | 'swapcached'
  | 'total_swap'
  | 'pgfault'
  | 'pgmajfault'
  | 'pgscan'
  | 'pgsteal'
  | 'pgactivate'
  | 'pgdeactivate'
  | 'pgrefill'
  | 'pglazyfree'
  | 'pglazyfreed'
  | 'pgscan_kswapd'
  | 'pgscan_direct'
  | 'pgsteal_kswapd'
  | 'pgsteal_direct'
  | 'pgscan_khugepaged'
  | 'pgscan_proactive'
  | 'pgsteal_khugepaged'
  | 'pgsteal_proactive'
  | 'workingset_refault_anon'
  | 'workingset_refault_file'
  | 'workingset_activate_anon'
  | 'workingset_activate_file'
  | 'workingset_nodereclaim'
  | 'workingset_restore_anon'
  | 'workingset_restore_file'
  | 'thp_fault_alloc'
  | 'thp_collapse_alloc'
  | 'thp_swpout'
  | 'thp_swpout_fallback'
  | 'pswpin'
  | 'pswpout'
  | 'zswpin'
  | 'zswpout'
  | 'zswpwb'
  | 'swpin_zero'
  | 'swpout_zero'
  | 'pgpgin'
  | 'pgpgout'
>;

export type MemoryStatAndLimits = MemoryStat & {
  hierarchical_memory_limit: bigint | null;
  hierarchical_memsw_limit: bigint | null;
};

/** One cgroup on the way to the root. */
export interface MemoryLevelInput
  extends Partial<Record<`${'' | 'swap_' | 'memsw_'}usage_bytes`, bigint | number>>,
    Partial<
      Record<`${'' | 'swap_' | 'memsw_'}limit_bytes` | 'high_bytes', bigint | number | null>
    > {
  stat?: Input<MemoryStat>;
}

/** The container root. */
export interface MemoryInput extends MemoryLevelInput {
  ancestors?: MemoryLevelInput[];
  hugetlb?: { limit_bytes: bigint | number; usage_bytes: bigint | number };
}

type Overcommit = Partial<Record<`overcommit_${'ratio' | 'kib'}`, bigint | number>>;
export type MemoryPolicyInput = { swap?: boolean } & Overcommit;

export type HugePages = Counters<'total' | 'free' | 'rsvd' | 'surp' | 'hugetlb_kib'>;

export type MemoryViewCounters = Counters<
  | 'mem_total'
  | 'mem_free'
  | 'mem_available'
  | 'buffers'
  | 'cached'
  | 'swap_cached'
  | 'active'
  | 'inactive'
  | 'active_anon'
  | 'inactive_anon'
  | 'active_file'
  | 'inactive_file'
  | 'unevictable'
  | 'mlocked'
  | 'swap_total'
  | 'swap_free'
  | 'zswap'
  | 'zswapped'
  | 'dirty'
  | 'writeback'
  | 'anon_pages'
  | 'mapped'
  | 'shmem'
  | 'k_reclaimable'
  | 'slab'
  | 's_reclaimable'
  | 's_unreclaim'
  | 'kernel_stack'
  | 'page_tables'
  | 'sec_page_tables'
  | 'percpu'
  | 'commit_limit'
  | 'committed_as'
  | 'anon_huge_pages'
  | 'shmem_huge_pages'
  | 'file_huge_pages'
>;

export type MemoryView = MemoryViewCounters & { huge_pages: HugePages | null };

export type CpuUsage = Counters<'user_usec' | 'nice_usec' | 'system_usec' | 'throttled_usec'>;
export type CpuUsageOfOne = Counters<'user_usec' | 'system_usec'> & { cpu: number };
export type CpuQuota = Counters<'quota_usec' | 'period_usec'>;
export type CpuUsageInput = Input<CpuUsage> & { per_cpu?: Input<CpuUsageOfOne>[] };

export type IoDevice = Counters<'rbytes' | 'wbytes' | 'dbytes' | 'rios' | 'wios' | 'dios'> & {
  major: number;
  minor: number;
};

/** What decides the visible CPUs; lists as "0-3,8". */
export interface CpusInput {
  cpuset: string;
  online: string;
  quota?: Input<CpuQuota> | null;
  count?: 'quota' | 'cpuset';
  numbering?: 'physical' | 'virtual';
}

export interface VisibleCpus {
  physical: string;
  shown: string;
  count: number;
  whole_set: boolean;
}

export type CpuTime = Counters<
  'user_usec' | 'nice_usec' | 'system_usec' | 'idle_usec' | 'steal_usec'
>;

export interface CpuTimes {
  total: CpuTime;
  cpus: (CpuTime & { cpu: number })[];
}

export interface CpuTimesInput {
  total?: Input<CpuTime>;
  cpus?: (Input<CpuTime> & { cpu: number })[];
}

export interface CpuSampleInput {
  boottime_usec: bigint | number;
  age_usec: bigint | number;
  usage: CpuUsageInput;
}

export interface CpuAccumulator {
  advance(sample: CpuSampleInput, cpus: CpusInput): void;
  read(cpus: CpusInput): CpuTimes;
  /** Saves itself, forgets everything and restores itself. */
  restart(): void;
}

type Three = [bigint, bigint, bigint];

export interface LoadAverage {
  fixed: Three;
  hundredths: Three;
}

/** All that a renderer may look at, with the host's files as texts. */
export interface Sheet {
  host_meminfo?: string;
  host_stat?: string;
  host_cpuinfo?: string;
  host_vmstat?: string;
  host_diskstats?: string;
  host_swaps_header?: string;
  age_usec?: bigint | number;
  memory?: Input<MemoryViewCounters> & { huge_pages?: Input<HugePages> | null };
  memory_stat?: Input<MemoryStat>;
  cpus?: CpusInput;
  cpu_times?: CpuTimesInput;
  load?: (bigint | number)[];
  tasks?: Input<Counters<'running' | 'blocked' | 'total' | 'last_pid'>>;
  devices?: Input<IoDevice>[];
  pressure?: string;
}

type Render = (sheet: Sheet) => string;

type RepeatedParsers =
  | 'MemInfo'
  | 'Stat'
  | 'CpuInfo'
  | 'DiskStats'
  | 'VmStat'
  | 'MemoryStatV1'
  | 'MemoryStatV2'
  | 'CpuStatV2'
  | 'UsageAll'
  | 'IoStat';

type RepeatedRenderers =
  | 'CpuInfo'
  | 'CpuOnline'
  | 'DiskStats'
  | 'LoadAverage'
  | 'MemInfo'
  | 'Pressure'
  | 'Stat'
  | 'Swaps'
  | 'Uptime'
  | 'VmStat';

/** Call a parser or renderer `count` times; give how often that allocated. */
type Repeated = Record<`repeatParse${RepeatedParsers}`, (text: string, count: number) => number> &
  Record<`repeatRender${RepeatedRenderers}`, (sheet: Sheet, count: number) => number>;

/**
 * Parsers throw an `Error` with `code` "EINVAL" and the `line` when they do not understand a text.
 */
export interface TestingAddon extends Repeated {
  parseMemInfo(text: string): MemInfoLine[];
  parseStat(text: string): Stat;
  shiftBoot(text: string, offsetSec: number): string;
  parseBoottimeOffset(text: string): number;
  parseCpuInfo(text: string): CpuInfo;
  parseDiskStats(text: string): DiskLine[];
  parseVmStat(text: string): VmStatLine[];
  parseMemoryStatV1(text: string): MemoryStatAndLimits;
  parseMemoryStatV2(text: string): MemoryStatAndLimits;
  normalizeTrigger(text: string): string;
  parseLimit(text: string): bigint | null;
  parseCount(text: string): bigint;
  parseCpuStatV2(text: string): CpuUsage;
  parseThrottledV1(text: string): bigint;
  parseUsageAll(text: string): CpuUsageOfOne[];
  parseCpuMax(text: string): CpuQuota | null;
  parseCfsQuota(quota: string, period: string): CpuQuota | null;
  parseIoStat(text: string): IoDevice[];
  parseBlkio(serviceBytes: string, serviced: string): IoDevice[];
  /** The list of the parsed set, as `WriteCpuList()` writes it. */
  parseCpuList(text: string): string;
  parseCpuMask(text: string): string;
  writeCpuMask(list: string, bits: number): string;

  deriveVisibleCpus(cpus: CpusInput): VisibleCpus;
  shownOf(cpus: CpusInput, list: string): string;
  smallerQuota(a: Input<CpuQuota> | null, b: Input<CpuQuota> | null): CpuQuota | null;
  deriveMemoryView(
    memory: MemoryInput,
    hostMemInfo: string,
    policy?: MemoryPolicyInput,
  ): MemoryView;
  deriveDiskRows(hostDiskStats: string, io: { devices: Input<IoDevice>[] }): DiskLine[];
  seedLoadAverage(cpuUsec: bigint | number, ageUsec: bigint | number): LoadAverage;
  advanceLoadAverage(
    fixed: (bigint | number)[],
    tasks: bigint | number,
    periods: bigint | number,
  ): LoadAverage;
  CpuAccumulator: new () => CpuAccumulator;
  Engine: new (options: CapturedEngineOptions) => CapturedEngine;
  viewNameOf(cgroupPath: string): string;
  /** `null` for a name that is no path's. */
  cgroupPathOf(viewName: string): string | null;
  /** The name again; `null` for one that is no id's. */
  idOfName(name: string): string | null;
  printable(text: string | Buffer): string;

  renderCpuInfo: Render;
  renderCpuOffline: Render;
  renderCpuOnline: Render;
  renderDiskStats: Render;
  renderLoadAverage: Render;
  renderMemInfo: Render;
  renderPressure: Render;
  renderSlabInfo: Render;
  renderStat: Render;
  renderSwaps: Render;
  renderUptime: Render;
  renderVmStat: Render;
}

const path = fileURLToPath(new URL('../../build/Release/testing.node', import.meta.url));

export const core = createRequire(import.meta.url)(path) as TestingAddon;
