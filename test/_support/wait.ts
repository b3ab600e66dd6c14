// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

const deadlineMs = 10_000;
const pollMs = 5;

/**
 * Waits for something that nobody announces.
 *
 * @throws {Error} that says what did not happen in ten seconds
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await sleep(pollMs);
  }
}
