// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../drivers/driver.js';

/** The kernel tells a daemon of a close after close(2) is done. */
const settleMs = 50;

/** Runs `work` and adds what the daemon used for it, in µs of CPU time. */
export async function withDaemonCpu<T>(
  driver: Driver,
  work: () => Promise<T>,
): Promise<{ result: T; cpuUsec: number | undefined }> {
  const before = await driver.cpuUsec();
  const result = await work();
  if (before === undefined) return { result, cpuUsec: undefined };
  await sleep(settleMs);
  return { result, cpuUsec: ((await driver.cpuUsec()) ?? Number.NaN) - before };
}
