// SPDX-License-Identifier: Apache-2.0
// Everything that lensfs measures of itself, as one table. Pure.
import type { Metric, Sample } from './prometheus.js';

/** What the counters stand at. */
export interface Measured {
  version: string;
  layout: string;
  uptimeSec: number;
  workers: number;
  layers: number;
  orphaned: boolean;
  views: number;
  quarantine: readonly unknown[];
  handles: number;
  heldDescriptors: number;
  replays: number;
  refusals: number;
  renders: number;
  resolves: number;
  memoryLevelReads: number;
  /** Every virtual file. */
  files: readonly string[];
  /** Those that are not 0. */
  readsByFile: readonly { file: string; outcome: string; count: number }[];
  /** Bucket k: answers that took less than 2^k µs, but not less than half of that; the last one: all longer ones too. */
  latency: { buckets: readonly number[]; sumNsec: number };
  samplerLagUsec: number;
  samplerTookUsec: number;
  /** Those that are not 0. */
  fallbacks: readonly { file: string; cause: string; count: number }[];
  reloads: { done: number; refused: number };
  configProblems: readonly string[];
  residentBytes: number;
  cpuUsec: number;
}

/** How a read may come about; native/core/engine/read_stats.h. */
export const readOutcomes = ['cached', 'rendered', 'fallback', 'error'] as const;
/** Why one may not get its own values; native/core/engine/fallbacks.cc. */
export const fallbackCauses = [
  'caller-unknown',
  'cgroup-gone',
  'unreadable',
  'unparsable',
  'quarantined',
  'tasks-estimated',
] as const;

export function describeMetrics(measured: Measured): Metric[] {
  const { version, layout, latency, files, readsByFile, fallbacks, reloads } = measured;
  const cached = readsByFile.filter(({ outcome }) => outcome === 'cached');
  return [
    gauge('lensfs_build_info', 'Always 1; what is running is in the labels', [
      { labels: { version, cgroups: layout }, value: 1 },
    ]),
    gauge('lensfs_uptime_seconds', 'Time since the process that answers reads started', [
      { value: measured.uptimeSec },
    ]),
    counter(
      'lensfs_reads_total',
      'Answers to reads, by file and how they came about',
      perFile(
        files,
        'outcome',
        readOutcomes,
        readsByFile.map(({ file, outcome, count }) => ({ file, value: outcome, count })),
      ),
    ),
    histogram(latency),
    counter('lensfs_renders_total', 'Texts made', [{ value: measured.renders }]),
    counter('lensfs_cache_hits_total', 'Reads answered with bytes that were young enough', [
      { value: cached.reduce((sum, { count }) => sum + count, 0) },
    ]),
    counter('lensfs_resolves_total', 'Processes whose container was looked for in /proc', [
      { value: measured.resolves },
    ]),
    counter(
      'lensfs_memory_level_reads_total',
      "Reads of an ancestor's memory files, for all views below it together",
      [{ value: measured.memoryLevelReads }],
    ),
    counter(
      'lensfs_fallbacks_total',
      'Reads that did not get their own values, by file and cause',
      perFile(
        files,
        'cause',
        fallbackCauses,
        fallbacks.map(({ file, cause, count }) => ({ file, value: cause, count })),
      ),
    ),
    counter('lensfs_worker_restarts_total', 'Workers that took the place of another', [
      { value: Math.max(0, measured.workers - 1) },
    ]),
    counter(
      'lensfs_journal_replays_total',
      'Requests that a worker has answered for one that had ended, since the mounts are there',
      [{ value: measured.replays }],
    ),
    counter(
      'lensfs_journal_refusals_total',
      'Requests refused because two workers had ended while they answered them',
      [{ value: measured.refusals }],
    ),
    gauge('lensfs_tree_layers', "Binds on a file of the public tree, the host's own included", [
      { value: measured.layers },
    ]),
    gauge('lensfs_keeper_up', 'Whether the process that holds the mounts is there', [
      { value: measured.orphaned ? 0 : 1 },
    ]),
    gauge('lensfs_views', 'Containers that are known', [{ value: measured.views }]),
    gauge(
      'lensfs_views_quarantined',
      'Containers in quarantine: a worker crashed or hung while it read their files',
      [{ value: measured.quarantine.length }],
    ),
    gauge('lensfs_open_files', 'Open virtual files', [{ value: measured.handles }]),
    gauge('lensfs_held_descriptors', 'Descriptors of cgroups that are kept open', [
      { value: measured.heldDescriptors },
    ]),
    gauge('lensfs_sampler_lag_seconds', 'By how much the load sampler came too late', [
      { value: measured.samplerLagUsec / 1e6 },
    ]),
    gauge('lensfs_sampler_duration_seconds', 'How long the load sampler took', [
      { value: measured.samplerTookUsec / 1e6 },
    ]),
    counter('lensfs_config_reloads_total', 'Reloads of the configuration, by result', [
      { labels: { result: 'done' }, value: reloads.done },
      { labels: { result: 'refused' }, value: reloads.refused },
    ]),
    gauge(
      'lensfs_config_degraded',
      'Whether the configuration is wrong, so that the last good one is in force',
      [{ value: measured.configProblems.length > 0 ? 1 : 0 }],
    ),
    gauge('process_resident_memory_bytes', 'Resident memory of the process that answers reads', [
      { value: measured.residentBytes },
    ]),
    counter('process_cpu_seconds_total', 'CPU time of the process that answers reads', [
      { value: measured.cpuUsec / 1e6 },
    ]),
  ];
}

/** A sample for each file and value of the label: a counter that appears with its first count has no increase. */
function perFile(
  files: readonly string[],
  label: string,
  values: readonly string[],
  rows: readonly { file: string; value: string; count: number }[],
): Sample[] {
  const counts = new Map<string, Sample>();
  const set = (file: string, value: string, count: number) =>
    counts.set(`${file} ${value}`, { labels: { file, [label]: value }, value: count });
  for (const file of files) for (const value of values) set(file, value, 0);
  for (const { file, value, count } of rows) set(file, value, count);
  return [...counts.values()];
}

function histogram({ buckets, sumNsec }: Measured['latency']): Metric {
  let total = 0;
  const samples: Sample[] = buckets.map((count, index) => {
    total += count;
    const le = index === buckets.length - 1 ? '+Inf' : String(2 ** index / 1e6);
    return { suffix: '_bucket', labels: { le }, value: total };
  });
  samples.push({ suffix: '_sum', value: sumNsec / 1e9 }, { suffix: '_count', value: total });
  const name = 'lensfs_read_duration_seconds';
  return { name, help: 'Time to answer a read, without the kernel', type: 'histogram', samples };
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, help, type: 'counter', samples };
}
