// SPDX-License-Identifier: Apache-2.0
// The limits on the way to the root, as they were read -> the cgroup whose limit has made a number. Pure.
import type { NumberContext } from './context.js';
import { parseCpuList } from './cpu-list.js';
import { baseName, directoryOf, type Input, lineValue } from './inputs.js';
import { type LevelRoom, tightestLevel } from './memory-levels.js';

/** What is limited. */
export type LimitKind = 'memory' | 'swap' | 'hugetlb' | 'cpus' | 'free' | 'available' | 'swapFree';

interface Limit {
  directory: string;
  value: number;
}

/** v1 says "no limit" with the largest multiple of a page, which is near 2^63. */
const v1Unlimited = 2 ** 62;
const bytesPerKib = 1024;
const defaultPeriodUsec = 100_000;

/**
 * The directory of the first of `kinds` that has made the number; `null` where the host or the configuration has.
 */
export function findDecider(kinds: readonly LimitKind[], context: NumberContext): string | null {
  if (isAsOnHost(context)) return null;
  for (const kind of kinds) {
    const directory = deciders[kind](context);
    if (directory !== null) return directory;
  }
  return null;
}

const deciders: Record<LimitKind, (context: NumberContext) => string | null> = {
  memory: ({ inputs }) => {
    const limit = smallestOf(inputs, /^memory\.(max|limit_in_bytes)$/);
    return limit !== null && isBelowHost(limit, 'MemTotal', inputs) ? limit.directory : null;
  },
  swap: decideSwap,
  hugetlb: ({ inputs }) => {
    const limit = smallestOf(inputs, /^hugetlb\.\w+\.(max|limit_in_bytes)$/);
    return limit?.directory ?? null;
  },
  cpus: decideCpus,
  free: (context) => directoryOfLevel(tightestLevel(context.memoryLevels, 'freeBytes'), context),
  available: (context) =>
    directoryOfLevel(tightestLevel(context.memoryLevels, 'availableBytes'), context),
  swapFree: (context) =>
    directoryOfLevel(
      tightestLevel(context.memoryLevels, 'swapFreeBytes') ??
        tightestLevel(context.memoryLevels, 'memswFreeBytes'),
      context,
    ),
};

/** The directory of a level's files, as they were read. */
function directoryOfLevel(level: LevelRoom | null, { inputs }: NumberContext): string | null {
  if (level === null) return null;
  const isOfLevel = ({ path }: Input) =>
    /^memory\.(max|limit_in_bytes)$/.test(baseName(path)) &&
    directoryOf(path).endsWith(level.cgroup);
  const found = inputs.find(isOfLevel);
  return found === undefined ? null : directoryOf(found.path);
}

/** No number is above the host's: then it is the host that decides, as where both are the same. */
function isAsOnHost({ number, hostFile }: NumberContext): boolean {
  return hostFile?.numbers.get(number.name) === number.value;
}

function isBelowHost({ value }: Limit, key: string, inputs: readonly Input[]): boolean {
  const meminfo = inputs.find(({ path }) => baseName(path) === 'meminfo');
  return toKib(value) < Number(lineValue(meminfo?.text ?? '', key));
}

function decideSwap({ text, inputs }: NumberContext): string | null {
  const limit = swapLimitV1(inputs) ?? smallestOf(inputs, /^memory\.swap\.max$/);
  if (limit === null || !isBelowHost(limit, 'SwapTotal', inputs)) return null;
  // Less than the limit: the configuration has switched swap off.
  const shown = lineValue(text, 'SwapTotal');
  return shown === undefined || Number(shown) === toKib(limit.value) ? limit.directory : null;
}

/** v1 limits memory and swap together; what memory alone may have is no swap. */
function swapLimitV1(inputs: readonly Input[]): Limit | null {
  const both = smallestOf(inputs, /^memory\.memsw\.limit_in_bytes$/);
  const memory = smallestOf(inputs, /^memory\.limit_in_bytes$/);
  if (both === null || memory === null) return null;
  return { directory: both.directory, value: Math.max(0, both.value - memory.value) };
}

function decideCpus({ cpus, inputs }: NumberContext): string | null {
  const online = inputs.find(({ path }) => baseName(path) === 'online');
  const all = parseCpuList(online?.text ?? '');
  const cpusets = listCpusets(inputs, all);
  const nearest = cpusets[0]?.cpus ?? all;
  if (cpus.length < nearest.length) return smallestQuota(inputs)?.directory ?? null;
  if (nearest.length === all.length) return null;
  // A cgroup inherits what its parent may use: the topmost that has no more CPUs has taken them away.
  const more = cpusets.findIndex((cpuset) => cpuset.cpus.length > nearest.length);
  return cpusets.at(more === -1 ? -1 : more - 1)?.directory ?? null;
}

/** The CPUs of each cgroup that are online, from the container root to the top. */
function listCpusets(inputs: readonly Input[], all: readonly number[]) {
  const online = new Set(all);
  const found = new Map<string, number[]>();
  for (const { path, text } of inputs) {
    if (!/^cpuset\.(cpus|cpus\.effective|effective_cpus)$/.test(baseName(path))) continue;
    const cpus = parseCpuList(text).filter((cpu) => online.has(cpu));
    if (cpus.length > 0) found.set(directoryOf(path), cpus);
  }
  return [...found].map(([directory, cpus]) => ({ directory, cpus }));
}

function smallestQuota(inputs: readonly Input[]): Limit | null {
  const quotas = inputs.flatMap(({ path, text }) => {
    const directory = directoryOf(path);
    const [quota, period] = text.trim().split(/\s+/).map(Number);
    if (quota === undefined || !(quota > 0)) return [];
    if (baseName(path) === 'cpu.max') {
      return { directory, value: quota / (period ?? defaultPeriodUsec) };
    }
    if (baseName(path) !== 'cpu.cfs_quota_us') return [];
    const file = inputs.find((input) => input.path === `${directory}/cpu.cfs_period_us`);
    return { directory, value: quota / Number(file?.text ?? defaultPeriodUsec) };
  });
  return smallest(quotas);
}

/** Of the files of these names, "max" and v1's way to say it left out. */
function smallestOf(inputs: readonly Input[], names: RegExp): Limit | null {
  const limits = inputs.flatMap(({ path, text }) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!names.test(baseName(path)) || !(value >= 0 && value < v1Unlimited)) return [];
    return { directory: directoryOf(path), value };
  });
  return smallest(limits);
}

/** The first of the smallest. */
function smallest(limits: readonly Limit[]): Limit | null {
  return limits.reduce<Limit | null>(
    (least, limit) => (least === null || limit.value < least.value ? limit : least),
    null,
  );
}

function toKib(bytes: number): number {
  return Math.floor(bytes / bytesPerKib);
}
