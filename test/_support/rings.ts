// SPDX-License-Identifier: Apache-2.0
// The kernel's switch for FUSE over io_uring, which all runs on this machine share.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './lensfs.js';

const switchPath = '/sys/module/fuse/parameters/enable_uring';
const lockPath = join(tmpdir(), 'lensfs-test-rings.lock');

/** Whether the kernel has it. */
export function hasRings(): boolean {
  return existsSync(switchPath);
}

export const withRings = ['--set', 'transport=ring'];

/** On while it is in use by any run; off again after the last, where it was off. */
export class RingSwitch implements AsyncDisposable {
  readonly #wasOff: boolean;
  readonly #holder;

  private constructor(wasOff: boolean, holder: ReturnType<typeof spawn>) {
    this.#wasOff = wasOff;
    this.#holder = holder;
  }

  static async on(): Promise<RingSwitch> {
    const command = ['-s', lockPath, 'sh', '-c', 'echo held; cat'];
    const holder = spawn('flock', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    const wasOff = !readFileSync(switchPath, 'utf8').startsWith('Y');
    if (wasOff) writeFileSync(switchPath, 'Y');
    return new RingSwitch(wasOff, holder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin?.end();
    await ended;
    if (!this.#wasOff) return;
    await run('flock', ['-n', '-x', lockPath, 'sh', '-c', `echo N >${switchPath}`]);
  }
}
