// SPDX-License-Identifier: Apache-2.0
// A CPU that is taken from the machine for a while.
import { existsSync, readFileSync } from 'node:fs';
import { HeldChange } from './held-change.js';

const directory = '/sys/devices/system/cpu';

/** The last one that is there. */
export function lastCpu(): number {
  const online = readFileSync(`${directory}/online`, 'utf8');
  return Number(/\d+\s*$/.exec(online)?.[0]);
}

/** Whether this machine lets one go. */
export function canTakeCpu(): boolean {
  return process.getuid?.() === 0 && existsSync(`${directory}/cpu${lastCpu()}/online`);
}

export function takeOffline(cpu: number): Promise<HeldChange> {
  const file = `${directory}/cpu${cpu}/online`;
  return HeldChange.make(`echo 0 >${file}; echo taken; cat; echo 1 >${file}`);
}
