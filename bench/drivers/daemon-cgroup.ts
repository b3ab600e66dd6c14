// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { prefer } from '../precedence.js';
import type { Memory } from './driver.js';

const kibPerMib = 1024;

/**
 * The cgroup of a daemon: it counts what all its processes use, also those that have ended.
 */
export class DaemonCgroup implements AsyncDisposable {
  readonly #cgroup: TestCgroup;

  private constructor(cgroup: TestCgroup) {
    this.#cgroup = cgroup;
  }

  static async create(): Promise<DaemonCgroup> {
    const cgroup = await TestCgroup.create();
    await prefer(cgroup);
    return new DaemonCgroup(cgroup);
  }

  /** The begin of a command line that runs the rest in here, and ends it when this process ends. */
  prefix(): string[] {
    const [shell, args] = this.#cgroup.enter('setpriv', '--pdeathsig', 'TERM');
    return [shell, ...args];
  }

  async cpuUsec(): Promise<number> {
    const v1 = this.#cgroup.file('cpuacct', 'cpuacct.usage');
    if (existsSync(v1)) return Number(await readFile(v1, 'utf8')) / 1000;
    const text = await readFile(this.#cgroup.file('cpu', 'cpu.stat'), 'utf8');
    return Number(/^usage_usec (\d+)$/m.exec(text)?.[1]);
  }

  async memory(): Promise<Memory> {
    const procs = await readFile(this.#cgroup.file('memory', 'cgroup.procs'), 'utf8');
    const sum = { rssMib: 0, pssMib: 0 };
    for (const pid of procs.split('\n').filter(Boolean)) {
      // One that has just ended uses nothing.
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
      sum.rssMib += kib(text, 'Rss') / kibPerMib;
      sum.pssMib += kib(text, 'Pss') / kibPerMib;
    }
    return sum;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cgroup[Symbol.asyncDispose]();
  }
}

function kib(text: string, label: string): number {
  return Number(new RegExp(`^${label}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
}
