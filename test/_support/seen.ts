// SPDX-License-Identifier: Apache-2.0
// What a container sees of itself, printed by a shell in it.
import { parseProcessors } from './proc-text.js';

const files = [
  '/proc/meminfo',
  '/proc/cpuinfo',
  '/proc/uptime',
  '/proc/pressure/cpu',
  '/proc/pressure/memory',
  '/sys/devices/system/cpu/online',
  '/proc/self/mountinfo',
];

/** A command that prints what `parseSeen` reads. */
export const printSeen = [
  '/bin/sh',
  '-c',
  files.map((path) => `echo "== ${path}"; cat ${path}`).join(';'),
];

/** The files that can be given to a container, each a mount of its own. */
export const allFiles = [
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/loadavg',
  '/proc/meminfo',
  '/proc/pressure/cpu',
  '/proc/pressure/io',
  '/proc/pressure/memory',
  '/proc/slabinfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/vmstat',
  '/sys/devices/system/cpu',
  '/sys/devices/system/cpu/online',
  '/sys/devices/system/cpu/possible',
  '/sys/devices/system/cpu/present',
];

export interface Seen {
  memTotalMib: number;
  /** Entries of /proc/cpuinfo. */
  processors: number;
  /** CPUs in the list of /sys. */
  online: string;
  uptimeSec: number;
  pressure: string;
  /** Since it began, that some of its tasks have waited for a CPU. */
  cpuStallUsec: number;
  /** Where files of lensfs are mounted, each once, sorted. */
  mounts: string[];
  /** Options of those mounts, each once, sorted. */
  options: string[];
}

/** Reads what `printSeen` has printed. */
export function parseSeen(text: string): Seen {
  const sections = new Map(
    text.split(/^== /m).map((section) => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end + 1)] as const;
    }),
  );
  const read = (path: string) => sections.get(path) ?? '';
  const lines = read('/proc/self/mountinfo').split('\n');
  const mounts = lines.filter((line) => line.includes(' - fuse.lensfs '));
  const field = (index: number) => {
    return [...new Set(mounts.map((line) => line.split(' ')[index] ?? ''))].sort();
  };
  return {
    memTotalMib: Number(/^MemTotal: +(\d+) kB$/m.exec(read('/proc/meminfo'))?.[1]) / 1024,
    processors: parseProcessors(read('/proc/cpuinfo')).length,
    online: read('/sys/devices/system/cpu/online').trim(),
    uptimeSec: Number(read('/proc/uptime').split(' ')[0]),
    pressure: read('/proc/pressure/memory'),
    cpuStallUsec: Number(/^some .* total=(\d+)$/m.exec(read('/proc/pressure/cpu'))?.[1]),
    mounts: field(4),
    options: field(5),
  };
}
