// SPDX-License-Identifier: Apache-2.0
// Tables of docs/ as the code would write them.
import { readFileSync } from 'node:fs';
import { meminfoRules } from '../../src/explain/meminfo-rules.js';
import { ruleOf } from '../../src/explain/rules.js';
import { describeMetrics } from '../../src/metrics/metrics.js';

/** Files of which one number in a few stands for the rest. */
const examples: Record<string, { title: string; names: Record<string, string> }> = {
  'proc/stat': {
    title: '/proc/stat',
    names: {
      'cpu user': 'cpu user',
      'cpu nice': 'cpu nice',
      'cpu system': 'cpu system',
      'cpu idle': 'cpu idle',
      'cpu steal': 'cpu steal',
      'cpu iowait': 'cpu iowait, irq, softirq, guest, guest_nice',
      'cpu0 user': 'cpu0 user',
      procs_running: 'procs_running',
      procs_blocked: 'procs_blocked',
      btime: 'btime',
      ctxt: 'intr, ctxt, processes, softirq',
    },
  },
  'proc/uptime': { title: '/proc/uptime', names: { uptime: 'uptime', idle: 'idle' } },
  'proc/loadavg': {
    title: '/proc/loadavg',
    names: { '1 min': '1, 5 and 15 min', running: 'running', tasks: 'tasks', pid: 'pid' },
  },
  'proc/swaps': {
    title: '/proc/swaps',
    names: { size: 'size', used: 'used', priority: 'priority' },
  },
  'proc/cpuinfo': {
    title: '/proc/cpuinfo',
    names: {
      processors: 'processors',
      'cpu0 processor': 'cpu0 processor',
      'cpu0 siblings': 'cpu0 siblings',
      'cpu0 cpu cores': 'cpu0 cpu cores',
      'cpu0 model': 'other numbers of cpu0',
      timebase: 'those of no CPU',
    },
  },
  'proc/slabinfo': {
    title: '/proc/slabinfo',
    names: { version: 'version', caches: 'caches' },
  },
  'sys/devices/system/cpu/online': {
    title: '/sys/devices/system/cpu',
    names: { list: 'online, possible, present, cpuN' },
  },
  'sys/devices/system/cpu/offline': {
    title: '/sys/devices/system/cpu/offline',
    names: { list: 'offline' },
  },
  'proc/diskstats': {
    title: '/proc/diskstats',
    names: { 'sda reads': 'reads, writes, discards, sectors', 'sda io_ms': 'the others' },
  },
  'proc/pressure/memory': {
    title: '/proc/pressure',
    names: { 'some avg10': 'all' },
  },
  'proc/vmstat': {
    title: '/proc/vmstat',
    names: {
      nr_free_pages: 'nr_free_pages',
      nr_anon_pages: 'nr_anon_pages',
      nr_slab_unreclaimable: 'nr_slab_unreclaimable',
      nr_zone_write_pending: 'nr_zone_write_pending',
      pgpgin: 'pgpgin',
      pgpgout: 'pgpgout',
      pgfault: 'pgfault',
    },
  },
};

/** A heading and a table for each file. */
export function numbersTables(): string {
  const meminfo = [...Object.keys(meminfoRules), 'Bounce', 'VmallocTotal'];
  const lines: Record<string, string> = {
    Bounce: 'NFS_Unstable, Bounce, WritebackTmp, Cma… and other lines',
    VmallocTotal: 'Vmalloc…, DirectMap…, Hugepagesize',
  };
  const files = [
    section(
      '/proc/meminfo',
      meminfo.map((name) => [lines[name] ?? name, ruleOf('proc/meminfo', name).formula]),
    ),
    ...Object.entries(examples).map(([file, { title, names }]) =>
      section(
        title,
        Object.entries(names).map(([name, shown]) => [shown, ruleOf(file, name).formula]),
      ),
    ),
  ];
  return files.join('\n');
}

/** Every metric, with its labels. */
export function metricsTable(): string {
  const metrics = describeMetrics({
    version: '',
    layout: '',
    uptimeSec: 0,
    workers: 1,
    layers: 0,
    orphaned: false,
    views: 0,
    handles: 0,
    heldDescriptors: 0,
    replays: 0,
    refusals: 0,
    quarantine: [],
    renders: 0,
    resolves: 0,
    memoryLevelReads: 0,
    files: ['proc/stat'],
    readsByFile: [],
    latency: { buckets: [0], sumNsec: 0 },
    samplerLagUsec: 0,
    samplerTookUsec: 0,
    fallbacks: [],
    reloads: { done: 0, refused: 0 },
    configProblems: [],
    residentBytes: 0,
    cpuUsec: 0,
  });
  const rows = metrics.map(({ name, type, help, samples }) => {
    const labels = Object.keys(samples[0]?.labels ?? {}).filter((label) => label !== 'le');
    return `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |\n`;
  });
  return `| name | type | labels | what |\n| --- | --- | --- | --- |\n${rows.join('')}`;
}

/** What a page says. */
export function readPage(name: string): string {
  return readFileSync(`docs/${name}`, 'utf8');
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  const lines = rows.map(([name, formula]) => `| ${name} | ${formula} |\n`);
  return `## ${title}\n\n| number | how |\n| --- | --- |\n${lines.join('')}`;
}
