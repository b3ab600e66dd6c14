// SPDX-License-Identifier: Apache-2.0
// What is mounted where.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** The types of the mounts of one daemon that has just started: the two connections, and what the public tree shows. */
export async function expectDaemonMounts(daemon: { tree: string; runDir: string }): Promise<void> {
  expect(await mountsIn(`${daemon.runDir}/mnt`)).toEqual(['fuse.lensfs', 'fuse.lensfs']);
  const [tree, ...layers] = await mountPointsIn(daemon.tree);
  expect(tree).toEqual({ path: daemon.tree, type: 'tmpfs' });
  const top = new Map(layers.map(({ path, type }) => [path, type]));
  expect(top.size).toBeGreaterThan(5);
  expect(new Set(top.values())).toEqual(new Set(['fuse.lensfs']));
}

/** Types of what is mounted at or below a path. */
export async function mountsIn(path: string): Promise<string[]> {
  return (await mountPointsIn(path)).map(({ type }) => type);
}

/** The same with the places, in the order of mounting. */
export async function mountPointsIn(path: string): Promise<{ path: string; type: string }[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).trimEnd().split('\n');
  const mounts = lines.map((line) => ({
    path: line.split(' ')[4] ?? '',
    type: line.split(' - ')[1]?.split(' ')[0] ?? '',
  }));
  return mounts.filter((mount) => `${mount.path}/`.startsWith(`${path}/`));
}
