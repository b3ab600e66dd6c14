// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';
import { patience } from './patience.js';

const deadlineMs = 10_000 * patience;
const pollMs = 5;

/**
 * Waits for something that nobody announces.
 *
 * @throws {Error} that says what did not happen in ten seconds, or in a slow machine's, or in `withinMs`
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = deadlineMs,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}`);
    await sleep(pollMs);
  }
}
