// SPDX-License-Identifier: Apache-2.0
// The kernel's switch for FUSE over io_uring, which all runs on this machine share.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const switchPath = '/sys/module/fuse/parameters/enable_uring';
const lockPath = join(tmpdir(), 'lensfs-test-rings.lock');

/** Whether the kernel has it. */
export function hasRings(): boolean {
  return existsSync(switchPath);
}

export const withRings = ['--set', 'transport=ring'];

/**
 * On while it is in use by any run; off again after the last, where it was off. Then the lock's file says so, and who
 * holds the lock sees to it, also when this process is killed.
 */
export class RingSwitch implements AsyncDisposable {
  readonly #holder;

  private constructor() {
    const on = `grep -q Y ${switchPath} || { echo off >${lockPath}; echo Y >${switchPath}; }`;
    const off = `[ ! -s ${lockPath} ] || { echo N >${switchPath}; : >${lockPath}; }`;
    const script = `trap '' INT TERM
      flock -s ${lockPath} sh -c '${on}; echo held; cat'
      flock -n -x ${lockPath} sh -c '${off}' || true`;
    this.#holder = spawn('sh', ['-ec', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  static async on(): Promise<RingSwitch> {
    const ringSwitch = new RingSwitch();
    await once(ringSwitch.#holder.stdout, 'data');
    return ringSwitch;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin.end();
    await ended;
  }
}
