// SPDX-License-Identifier: Apache-2.0

/** What `files` may name: every file of the catalog but those of sysfs, whose directory is one name. */
export const virtualFiles = [
  'proc/cpuinfo',
  'proc/diskstats',
  'proc/loadavg',
  'proc/meminfo',
  'proc/pressure/cpu',
  'proc/pressure/io',
  'proc/pressure/memory',
  'proc/slabinfo',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
  'proc/vmstat',
  'sys/devices/system/cpu',
] as const;

/** Those of them in /proc that runc takes mounts over; it refuses any other file of /proc. */
export const mountableByRunc = [
  'proc/cpuinfo',
  'proc/diskstats',
  'proc/loadavg',
  'proc/meminfo',
  'proc/slabinfo',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
] as const satisfies readonly (typeof virtualFiles)[number][];

/** Every file of the catalog, by its path. */
export const filesOfCatalog: readonly string[] = virtualFiles.flatMap((file) =>
  file === 'sys/devices/system/cpu'
    ? ['offline', 'online', 'possible', 'present'].map((name) => `${file}/${name}`)
    : [file],
);

export type VirtualFile = (typeof virtualFiles)[number];
