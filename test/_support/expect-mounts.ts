// SPDX-License-Identifier: Apache-2.0
// What a daemon that has just started has mounted.
import { expect } from 'vitest';
import { mountPointsIn, mountsIn } from './mounts.js';

/** The types of the mounts of one daemon that has just started: the two connections, and what the public tree shows. */
export async function expectDaemonMounts(daemon: { tree: string; runDir: string }): Promise<void> {
  expect(await mountsIn(`${daemon.runDir}/mnt`)).toEqual(['fuse.lensfs', 'fuse.lensfs']);
  const [tree, ...layers] = await mountPointsIn(daemon.tree);
  expect(tree).toEqual({ path: daemon.tree, type: 'tmpfs' });
  const top = new Map(layers.map(({ path, type }) => [path, type]));
  expect(top.size).toBeGreaterThan(5);
  expect(new Set(top.values())).toEqual(new Set(['fuse.lensfs']));
}
