// SPDX-License-Identifier: Apache-2.0
// Views as `lensfs views` and `lensfs top` show them. Pure.
import type { ViewReply } from '../control/protocol.js';
import { formatDuration } from './output.js';
import {
  type Column,
  formatBytes,
  formatPercent,
  formatTable,
  type Style,
  type TableOptions,
} from './table.js';

/** A view with what it did between two looks. */
export interface ViewRates {
  view: ViewReply;
  /** 100 is one CPU. */
  cpuPercent: number | null;
  /** Share of the time in which its quota held it back, as time of all its CPUs. */
  throttledPercent: number | null;
  readsPerSec: number | null;
}

/** What `top` may be sorted by. */
export const sortKeys = ['cpu', 'memory', 'throttled', 'reads', 'pressure', 'name'] as const;
export type SortKey = (typeof sortKeys)[number];

const shownIdLength = 12;
const almostFull = 0.9;
const busyPercent = 90;

/** `lensfs views`. */
export function formatViews(views: readonly ViewReply[], options: TableOptions): string {
  if (views.length === 0) {
    return 'No container has read anything yet: "lensfs mounts docker" prints how to give one the files\n';
  }
  const columns: Column<ViewReply>[] = [
    { title: 'CONTAINER', cell: nameOf, style: () => 'bold' },
    { title: 'INIT', drop: 1, align: 'right', cell: ({ initPid }) => String(initPid) },
    { title: 'AGE', align: 'right', cell: ({ ageSec }) => formatDuration(ageSec) },
    { title: 'CPUS', align: 'right', cell: cpusOf },
    { title: 'MEMORY', align: 'right', cell: memoryOf, style: memoryStyle },
    { title: 'SWAP', drop: 2, align: 'right', cell: swapOf },
    { title: 'TASKS', align: 'right', cell: ({ tasks }) => (tasks === null ? '-' : String(tasks)) },
    { title: 'READS', align: 'right', cell: ({ reads }) => String(reads) },
    { title: 'HITS', drop: 3, align: 'right', cell: hitRate },
    { title: 'CGROUP', drop: 4, least: 16, cell: ({ cgroup }) => cgroup, style: () => 'dim' },
  ];
  const sorted = [...views].sort((a, b) => compareText(nameOf(a), nameOf(b)));
  const note = views.some(hasLessRoom) ? `\n${lessRoomNote}` : '';
  const problems = sorted.filter(({ problem }) => problem !== '').map(problemOf);
  return [formatTable(columns, sorted, options) + note, ...problems].join('\n');
}

function problemOf(view: ViewReply): string {
  return `${nameOf(view)}: ${view.problem}\n`;
}

/** The table of `lensfs top`, the first rows of it. */
export function formatTop(
  rates: readonly ViewRates[],
  { sort, rows, ...options }: TableOptions & { sort: SortKey; rows: number },
): string {
  const columns: Column<ViewRates>[] = [
    { title: 'CONTAINER', cell: ({ view }) => nameOf(view), style: () => 'bold' },
    {
      title: 'CPU',
      align: 'right',
      cell: ({ cpuPercent }) => formatPercent(cpuPercent),
      style: cpuStyle,
    },
    { title: 'OF', drop: 1, align: 'right', cell: ({ view }) => cpusOf(view) },
    {
      title: 'THROTTLED',
      align: 'right',
      cell: ({ throttledPercent }) => formatPercent(throttledPercent),
      style: ({ throttledPercent }) => ((throttledPercent ?? 0) >= 1 ? 'red' : undefined),
    },
    {
      title: 'MEMORY',
      align: 'right',
      cell: ({ view }) => memoryOf(view),
      style: ({ view }) => memoryStyle(view),
    },
    { title: 'PRESSURE C/M/I', align: 'right', cell: ({ view }) => pressureOf(view) },
    {
      title: 'LOAD',
      drop: 2,
      align: 'right',
      cell: ({ view }) => view.load?.[0]?.toFixed(2) ?? '-',
    },
    {
      title: 'READS/S',
      align: 'right',
      cell: ({ readsPerSec }) => (readsPerSec === null ? '-' : readsPerSec.toFixed(1)),
    },
  ];
  return formatTable(columns, sortRates(rates, sort).slice(0, rows), options);
}

/** What happened between two looks that are `elapsedSec` apart. */
export function deriveRates(
  before: readonly ViewReply[],
  after: readonly ViewReply[],
  elapsedSec: number,
): ViewRates[] {
  const keyOf = ({ id, initPid }: ViewReply) => `${initPid} ${id}`;
  const old = new Map(before.map((view) => [keyOf(view), view]));
  return after.map((view) => {
    const last = old.get(keyOf(view));
    const rate = (of: (view: ViewReply) => number | null) => {
      const [from, to] = [last === undefined ? null : of(last), of(view)];
      if (from === null || to === null || elapsedSec <= 0) return null;
      return Math.max(0, to - from) / elapsedSec;
    };
    const percent = (perSec: number | null) => (perSec === null ? null : perSec / 1e4);
    return {
      view,
      cpuPercent: percent(rate(busyUsec)),
      throttledPercent: percent(rate(({ throttledUsec }) => throttledUsec)),
      readsPerSec: rate(({ reads }) => reads),
    };
  });
}

/** Largest first; by name the first letter first. */
export function sortRates(rates: readonly ViewRates[], sort: SortKey): ViewRates[] {
  const measureOf: Record<Exclude<SortKey, 'name'>, (rates: ViewRates) => number | null> = {
    cpu: ({ cpuPercent }) => cpuPercent,
    memory: ({ view }) => view.memoryUsageBytes,
    throttled: ({ throttledPercent }) => throttledPercent,
    reads: ({ readsPerSec }) => readsPerSec,
    pressure: ({ view }) =>
      (view.pressureCpuPercent ?? 0) +
      (view.pressureMemoryPercent ?? 0) +
      (view.pressureIoPercent ?? 0),
  };
  return [...rates].sort((a, b) => {
    const byName = compareText(nameOf(a.view), nameOf(b.view));
    if (sort === 'name') return byName;
    return (measureOf[sort](b) ?? -1) - (measureOf[sort](a) ?? -1) || byName;
  });
}

/** What a view is called in a table. */
export function nameOf({ name, id, cgroup }: ViewReply): string {
  if (name !== null) return name;
  if (cgroup === '/') return '(host)';
  const last = id.slice(id.lastIndexOf('=') + 1);
  return /^[0-9a-f]{32,}$/.test(last) ? last.slice(0, shownIdLength) : last;
}

function busyUsec({ userUsec, systemUsec }: ViewReply): number | null {
  return userUsec === null || systemUsec === null ? null : userUsec + systemUsec;
}

function cpusOf({ cpus, cpuCount, cpuQuota }: ViewReply): string {
  if (cpuQuota !== null) return `${Number(cpuQuota.toFixed(2))} (${cpus})`;
  return `${cpuCount} (${cpus})`;
}

function memoryOf(view: ViewReply): string {
  if (view.memoryTotalBytes === null) return '-';
  const used = `${formatBytes(view.memoryUsageBytes)} / ${formatBytes(view.memoryTotalBytes)}`;
  return hasLessRoom(view) ? `${used}, ${formatBytes(view.memoryAvailableBytes)} left` : used;
}

/** An ancestor's limit, which neighbours use up too, leaves less than the container's own. */
function hasLessRoom({ memoryRoomLevel }: ViewReply): boolean {
  return memoryRoomLevel !== null;
}

const lessRoomNote =
  'left: the limit of a parent cgroup leaves less than the container\'s own; "lensfs explain proc/meminfo" names it\n';

function swapOf({ swapUsageBytes, swapTotalBytes }: ViewReply): string {
  if (swapTotalBytes === null || swapTotalBytes === 0) return '-';
  return `${formatBytes(swapUsageBytes)} / ${formatBytes(swapTotalBytes)}`;
}

function memoryStyle({ memoryAvailableBytes, memoryTotalBytes }: ViewReply): Style | undefined {
  if (memoryAvailableBytes === null || memoryTotalBytes === null) return undefined;
  return memoryAvailableBytes < memoryTotalBytes * (1 - almostFull) ? 'red' : undefined;
}

function cpuStyle({ cpuPercent, view }: ViewRates): Style | undefined {
  return (cpuPercent ?? 0) / Math.max(1, view.cpuCount) >= busyPercent ? 'yellow' : undefined;
}

function pressureOf(view: ViewReply): string {
  const values = [view.pressureCpuPercent, view.pressureMemoryPercent, view.pressureIoPercent];
  if (values.every((value) => value === null)) return '-';
  return values.map((value) => (value === null ? '-' : value.toFixed(0))).join('/');
}

function hitRate({ reads, hits }: ViewReply): string {
  return reads === 0 ? '-' : formatPercent((100 * hits) / reads);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
