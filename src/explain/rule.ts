// SPDX-License-Identifier: Apache-2.0
// How a number is made, as data, and what rules of several files have in common. Pure.
import type { LimitKind } from './limits.js';
import { eachLevel, type SourceFinder, type SourceName } from './sources.js';

export interface Rule {
  formula: string;
  /** Those that were read count; the others belong to another version of cgroups. */
  sources: readonly (SourceName | SourceFinder)[];
  /** The formula when there are none. */
  absent?: string;
  /** The limits that may have made it, the one that counts most first. */
  limits?: readonly LimitKind[];
}

export const hosts = (file: string, key: string): Rule => ({
  formula: "the host's: it is no container's",
  sources: [[file, key]],
});
export const zero: Rule = { formula: '0: no container has any', sources: [] };
/** The usage of every level. */
export const usage: SourceFinder[] = [
  eachLevel('memory.current'),
  eachLevel('memory.usage_in_bytes'),
];
export const memoryLimits: SourceName[] = [
  ['memory.max'],
  ['memory.stat', 'hierarchical_memory_limit'],
  ['meminfo', 'MemTotal'],
];
export const swapUsage: SourceName[] = [['memory.swap.current'], ['memory.stat', 'total_swap']];

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

export function stat(...keys: string[]): SourceName[] {
  return keys.flatMap((key) => [
    ['memory.stat', key] as const,
    ['memory.stat', v1Names[key] ?? `total_${key}`] as const,
  ]);
}

export function copied(key: string): Rule {
  const absent = `0: its cgroup does not count ${key}`;
  return { formula: `${key}, at most the host's`, sources: stat(key), absent };
}
