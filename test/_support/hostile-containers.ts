// SPDX-License-Identifier: Apache-2.0
import { type CgroupLimits, TestCgroup } from './cgroup.js';
import { PythonProcess } from './python.js';

/** Scripts, each in a container of its own; disposing kills them and removes their cgroups. */
export class HostileContainers implements AsyncDisposable {
  readonly running: PythonProcess[] = [];
  readonly #cgroups: TestCgroup[] = [];

  async start(
    script: string,
    args: readonly string[],
    limits: CgroupLimits = {},
  ): Promise<PythonProcess> {
    const cgroup = await TestCgroup.create(limits);
    this.#cgroups.push(cgroup);
    const process = new PythonProcess(script, { args, cgroup });
    this.running.push(process);
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.running.map((each) => each[Symbol.asyncDispose]()));
    for (const cgroup of this.#cgroups) await cgroup[Symbol.asyncDispose]();
  }
}
