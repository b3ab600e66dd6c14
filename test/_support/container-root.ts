// SPDX-License-Identifier: Apache-2.0
// The root file system of test containers: a static busybox, and the programs of this machine.
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** The static busybox that is in every container. */
export const busybox = '/bin/busybox';

const ownDirectories = ['dev', 'etc', 'lensfs', 'proc', 'shared', 'sys', 'tmp', 'usr'];
const programDirectories = ['bin', 'lib', 'lib32', 'lib64', 'libx32', 'sbin'];

/** The files of `/proc` that runtimes allow to be mounted over; `/lensfs` has all of them. */
export const procFiles = [
  'cpuinfo',
  'diskstats',
  'loadavg',
  'meminfo',
  'slabinfo',
  'stat',
  'swaps',
  'uptime',
];

export interface Bind {
  readonly from: string;
  readonly to: string;
}

/** Makes a root file system in which this machine's programs run, once `rootBinds()` are there. */
export function createRoot(root: string): void {
  for (const name of ownDirectories) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(busybox, join(root, 'busybox'));
  writeFileSync(join(root, 'node'), ''); // to be mounted over
  for (const name of programDirectories) {
    const path = `/${name}`;
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) symlinkSync(readlinkSync(path), join(root, name));
    else mkdirSync(join(root, name));
  }
}

/** What of this machine a container sees: programs and libraries, and Node.js as `/node`. */
export function rootBinds(): Bind[] {
  const directories = ['usr', ...programDirectories]
    .map((name) => `/${name}`)
    .filter((path) => existsSync(path) && !lstatSync(path).isSymbolicLink());
  return [
    ...directories.map((path) => ({ from: path, to: path })),
    { from: process.execPath, to: '/node' },
  ];
}

/** What a user mounts of a tree into a container, and the whole tree at `/lensfs`. */
export function treeBinds(tree: string): Bind[] {
  const cpus = 'sys/devices/system/cpu';
  return [
    ...procFiles.map((name) => ({ from: join(tree, 'proc', name), to: `/proc/${name}` })),
    { from: join(tree, cpus), to: `/${cpus}` },
    { from: tree, to: '/lensfs' },
  ];
}

/** Makes a root file system with nothing but a static busybox, under the names of all it can do. */
export function copyBusybox(root: string): void {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp']) {
    mkdirSync(join(root, name), { recursive: true });
  }
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'sleep', 'grep', 'ls', 'free', 'nproc']) {
    symlinkSync('busybox', join(root, 'bin', name));
  }
}
