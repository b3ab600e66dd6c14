// SPDX-License-Identifier: Apache-2.0
// A CPU that is taken from the machine for a while.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

const directory = '/sys/devices/system/cpu';

/** The last one that is there. */
function lastCpu(): number {
  const online = readFileSync(`${directory}/online`, 'utf8');
  return Number(/\d+\s*$/.exec(online)?.[0]);
}

/** Whether this machine lets one go. */
export function canTakeCpu(): boolean {
  return process.getuid?.() === 0 && existsSync(`${directory}/cpu${lastCpu()}/online`);
}

/** The last CPU, which is gone until this is disposed of or the process that holds it ends. */
export class OfflineCpu implements AsyncDisposable {
  readonly cpu: number;
  readonly #holder;

  private constructor(cpu: number) {
    this.cpu = cpu;
    const file = `${directory}/cpu${cpu}/online`;
    const script = `trap '' INT TERM; echo 0 >${file}; echo taken; cat; echo 1 >${file}`;
    this.#holder = spawn('sh', ['-ec', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  static async take(): Promise<OfflineCpu> {
    const offline = new OfflineCpu(lastCpu());
    await once(offline.#holder.stdout, 'data');
    return offline;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#holder, 'exit');
    this.#holder.stdin.end();
    await ended;
  }
}
