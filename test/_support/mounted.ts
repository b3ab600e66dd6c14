// SPDX-License-Identifier: Apache-2.0
// What the tests of the mount share: a daemon per file, and what it says of itself.
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { controlSocketName } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import type { StatusReply } from '../../src/control/protocol.js';
import { hasCgroups } from './cgroup.js';
import { program, RunningDaemon } from './lensfs.js';
import type { Requirement } from './requirement.js';
import { built, command, fuseDevice, root, testWith } from './requirements.js';
import type { Tree } from './tree.js';
import { waitUntil } from './wait.js';

/** What a test that mounts needs of the machine. */
export const mountRequirements: Requirement[] = [
  root,
  fuseDevice,
  built(program),
  built('build/Release/addon.node'),
  { met: hasCgroups, missing: 'needs cgroups in /sys/fs/cgroup' },
  command('python3'),
  command('unshare'),
];

/** A test that needs a mount, and may need a container. */
export const mountTest = testWith(...mountRequirements);

/** One daemon for all tests of a file or a suite; the getter is for the tests. */
export function useDaemon(...args: string[]): () => RunningDaemon {
  let daemon: RunningDaemon | undefined;
  if (mountRequirements.every((requirement) => requirement.met())) {
    beforeAll(async () => {
      daemon = await RunningDaemon.start(args);
      await chmod(daemon.dir.path, 0o755); // other users are to come in
    });
    afterAll(async () => {
      await daemon?.[Symbol.asyncDispose]();
    });
  }
  return () => {
    if (daemon === undefined) throw new Error('No daemon is running');
    return daemon;
  };
}

export async function statusOf(daemon: RunningDaemon): Promise<StatusReply> {
  return await ask(join(daemon.runDir, controlSocketName), 'status');
}

/** Returns when no file is open; the kernel tells the daemon of a close after close(2) is done. */
export async function allClosed(daemon: RunningDaemon): Promise<void> {
  await waitUntil('all handles are closed', async () => (await statusOf(daemon)).handles === 0);
}

/** How often the daemon fell back for a file and a cause. */
export async function fallbackCount(
  daemon: RunningDaemon,
  file: string,
  cause: string,
): Promise<number> {
  const { fallbacks } = await statusOf(daemon);
  const row = fallbacks.find((entry) => entry.file === file && entry.cause === cause);
  return row?.count ?? 0;
}

/** Arguments that make a daemon take a tree for its host. */
export function rootsOf(tree: Pick<Tree, 'proc' | 'cgroup' | 'sys'>): string[] {
  const roots = { proc: tree.proc, cgroup: tree.cgroup, sys: tree.sys };
  return Object.entries(roots).flatMap(([name, path]) => ['--set', `roots.${name}=${path}`]);
}

/** Leaves a captured host only pid 1, so that no real process has the number of one of its own. */
export async function removeContainers(tree: Tree): Promise<void> {
  for (const name of await readdir(tree.proc)) {
    if (/^\d+$/.test(name) && name !== '1') await tree.remove(`proc/${name}`);
  }
}
