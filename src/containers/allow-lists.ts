// SPDX-License-Identifier: Apache-2.0
// Which files of /proc a runtime lets be mounted over by flags; a hook is not bound by it.
//
// Source: runc, libcontainer's check of mount destinations, by release; crun has no such list. Pure.

import { mountableByRunc } from '../config/virtual-files.js';
import type { Finding } from './finding.js';

const allowedByRunc: ReadonlySet<string> = new Set(mountableByRunc);

/** Of 1.0.0 the first release candidate that allows it; every runc allows the others. */
const allowedSince: ReadonlyMap<string, number> = new Map([
  ['proc/loadavg', 6],
  ['proc/slabinfo', 93],
]);

/** Whether today's runc lets it be mounted over; all of them lie in /proc or /sys. */
export function isMountable(path: string): boolean {
  return path.startsWith('sys/') || allowedByRunc.has(path);
}

/** What doctor says of a runtime's list. */
export function describeOverProc(
  runtime: 'runc' | 'crun',
  version: string,
  paths: readonly string[],
): string | Pick<Finding, 'level' | 'text' | 'fix'> {
  if (runtime === 'crun') return 'takes mounts over every file of /proc';
  const candidate = candidateOf(version);
  const isAllowed = (path: string) => {
    return allowedByRunc.has(path) && (allowedSince.get(path) ?? 0) <= candidate;
  };
  const refused = paths.filter((path) => path.startsWith('proc/') && !isAllowed(path));
  const text = `refuses flags for ${refused.map((path) => `/${path}`).join(', ')}; the hook gives all`;
  if (mountableByRunc.every(isAllowed)) return text;
  return { level: 'warn', text, fix: 'lensfs hook install docker' };
}

/** Of "1.0.0-rc10" 10; 0 of what is older, and more than any of what is newer. */
function candidateOf(version: string): number {
  if (version.startsWith('0.')) return 0;
  return Number(/^1\.0\.0-rc\.?(\d+)/.exec(version)?.[1] ?? Number.POSITIVE_INFINITY);
}
