// SPDX-License-Identifier: Apache-2.0
// Who comes first on a busy CPU: those that nobody should have to wait for, not those that answer reads.
import { readdirSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { expect } from 'vitest';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { testWith } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';

const test = testWith(...mountRequirements);

const usual = getPriority();
// A nice value that somebody has chosen stays.
const first = usual === 0 ? -10 : usual;

/** The nice value of each thread with this name. */
function niceValues(pid: number, name: string): number[] {
  return readdirSync(`/proc/${pid}/task`)
    .filter((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trimEnd() === name)
    .map((tid) => getPriority(Number(tid)));
}

/** Once each has answered something: what waits for a worker's first answers comes first. */
async function expectPrecedence(daemon: RunningDaemon, worker: number): Promise<void> {
  for (const connection of ['shared', 'pinned']) {
    await statfs(`${daemon.runDir}/mnt/${connection}`);
  }
  const readers = () => niceValues(worker, 'lensfs-reader');
  await waitUntil('readers share', () => readers().every((value) => value === usual));
  expect(new Set(niceValues(worker, 'node'))).toEqual(new Set([first]));
  expect(niceValues(worker, 'lensfs-ticker')).toEqual([usual]);
}

test('Keeper and control API come before those that answer reads, also after a worker has died', async () => {
  await using daemon = await RunningDaemon.start(['--set', 'transport=classic']);
  const worker = await daemon.workerPid();
  expect(niceValues(Number(daemon.child.pid), 'lensfs-keeper')).toEqual([first]);
  await expectPrecedence(daemon, worker);
  process.kill(worker, 'SIGKILL');
  let next = 0;
  await waitUntil('another worker serves', async () => {
    next = await daemon.workerPid();
    const names = ['lensfs-reader', 'lensfs-ticker'];
    return next !== worker && names.every((name) => niceValues(next, name).length > 0);
  });
  await expectPrecedence(daemon, next);
});
