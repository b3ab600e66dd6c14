// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { RunningDaemon } from './lensfs.js';
import { waitUntil } from './wait.js';

/** No number of deaths is too many. */
export const manyDeaths = ['--set', 'workers.deaths=1000000'];

/** A read that is answered by the worker that serves now, from its first answer on. */
export async function readAnew(daemon: RunningDaemon): Promise<void> {
  expect(await readFile(`${daemon.runDir}/mnt/shared/proc/uptime`, 'utf8')).toMatch(/^\d/);
}

/**
 * Kills the worker again and again, each as soon as it has answered once and `isReady` says so;
 * milliseconds from each kill to the next answer.
 */
export async function killWorkers(
  daemon: RunningDaemon,
  { times, isReady = async () => true }: { times: number; isReady?: () => Promise<boolean> },
): Promise<number[]> {
  const durations: number[] = [];
  for (let count = 0; count < times; ++count) {
    await waitUntil('the next worker is ready', isReady);
    const worker = await daemon.workerPid();
    const begin = performance.now();
    process.kill(worker, 'SIGKILL');
    await readAnew(daemon);
    durations.push(performance.now() - begin);
    await waitUntil('the next worker runs', async () => (await daemon.workerPid()) !== worker);
  }
  return durations;
}
