// SPDX-License-Identifier: Apache-2.0
// Which files of /proc a runtime lets be mounted over by flags; a hook is not bound by it.
//
// Source: runc, libcontainer's check of mount destinations, by release; crun has no such list. Pure.

import type { Finding } from './finding.js';

interface Entry {
  path: string;
  /** The first version that allows it: of 1.0.0 the release candidate; all, when not given. */
  since?: number;
}

const runcList: readonly Entry[] = [
  { path: 'proc/cpuinfo' },
  { path: 'proc/diskstats' },
  { path: 'proc/loadavg', since: 6 },
  { path: 'proc/meminfo' },
  { path: 'proc/slabinfo', since: 93 },
  { path: 'proc/stat' },
  { path: 'proc/swaps' },
  { path: 'proc/uptime' },
];

/** Whether today's runc lets it be mounted over; all of them lie in /proc or /sys. */
export function isMountable(path: string): boolean {
  return path.startsWith('sys/') || runcList.some((entry) => entry.path === path);
}

/** What doctor says of a runtime's list. */
export function describeOverProc(
  runtime: 'runc' | 'crun',
  version: string,
  paths: readonly string[],
): string | Pick<Finding, 'level' | 'text' | 'fix'> {
  if (runtime === 'crun') return 'takes mounts over every file of /proc';
  const candidate = candidateOf(version);
  const allowed = runcList.filter(({ since = 0 }) => since <= candidate);
  const refused = paths.filter((path) => {
    return path.startsWith('proc/') && !allowed.some((entry) => entry.path === path);
  });
  const text = `refuses flags for ${refused.map((path) => `/${path}`).join(', ')}; the hook gives all`;
  if (allowed.length === runcList.length) return text;
  return { level: 'warn', text, fix: 'lensfs hook install docker' };
}

/** Of "1.0.0-rc10" 10; 0 of what is older, and more than any of what is newer. */
function candidateOf(version: string): number {
  if (version.startsWith('0.')) return 0;
  return Number(/^1\.0\.0-rc\.?(\d+)/.exec(version)?.[1] ?? Number.POSITIVE_INFINITY);
}
