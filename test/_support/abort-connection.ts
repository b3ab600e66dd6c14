// SPDX-License-Identifier: Apache-2.0
// The end of a FUSE connection through fusectl, as root of the host can bring it about.
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { type RunningDaemon, run } from './lensfs.js';
import { TempDir } from './temp-dir.js';

/** Aborts one of the daemon's connections; the kernel answers all that is open on it with ENOTCONN. */
export async function abortConnection(
  daemon: RunningDaemon,
  name: 'shared' | 'pinned',
): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const line = table.split('\n').find((entry) => entry.includes(` ${daemon.runDir}/mnt/${name} `));
  const [, minor] = line?.split(' ')[2]?.split(':') ?? [];
  await using control = await TempDir.create();
  expect((await run('mount', ['-t', 'fusectl', 'none', control.path])).code).toBe(0);
  try {
    await writeFile(control.at(`${minor}/abort`), '1');
  } finally {
    await run('umount', [control.path]);
  }
}
