// SPDX-License-Identifier: Apache-2.0
// How long a container waits for an answer while others ask as fast as they can.
import { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import type { Driver } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import { prefer } from '../precedence.js';
import type { PollingTask } from '../scenarios.js';
import { Fleet } from './fleet-process.js';
import { inContainer } from './in-container.js';
import { readTally } from './load.js';
import { loadProgram, type Tally, usecPerSec } from './programs.js';
import { withDaemonCpu } from './usage.js';

/** Pollers begin before the reads that are measured and end after them. */
const marginSeconds = 1;
const memoryBytes = 64 * 2 ** 20;

export async function measurePolling(driver: Driver, task: PollingTask): Promise<Outcome> {
  await using fleet = await Fleet.start(1);
  await using pollers = await Pollers.create(task.pollers);
  const find = await driver.filesFor(fleet.cgroupPath);
  const files = [find(task.file)];
  await fleet.once(files);
  const commands = await pollers.prepare(driver, task);
  const polling = runAll(commands);
  const { result, cpuUsec } = await withDaemonCpu(driver, async () => {
    // The first of them have read before the quiet one does.
    await fleet.poll(marginSeconds, task.periodSeconds, files);
    return await fleet.poll(task.seconds, task.periodSeconds, files);
  });
  const failed = await polling;
  const { values, errors } = readTally(result, undefined);
  const usec = (marginSeconds + task.seconds) * usecPerSec;
  return {
    values: {
      ...values,
      ...(cpuUsec !== undefined && { daemonCpuPercent: (cpuUsec / usec) * 100 }),
    },
    errors: errors + failed,
  };
}

/** The cgroups of the containers that poll. */
class Pollers implements AsyncDisposable {
  readonly #cgroups: TestCgroup[] = [];

  static async create(count: number): Promise<Pollers> {
    const pollers = new Pollers();
    try {
      while (pollers.#cgroups.length < count) {
        const cgroup = await TestCgroup.create({ memoryBytes });
        pollers.#cgroups.push(cgroup);
        await prefer(cgroup); // as much as the quiet one
      }
      return pollers;
    } catch (error) {
      await pollers[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Their command lines; finding their files takes long on a machine that is busy with polling. */
  async prepare(driver: Driver, { file, seconds }: PollingTask): Promise<[string, string[]][]> {
    const commands: [string, string[]][] = [];
    for (const cgroup of this.#cgroups) {
      const find = await driver.filesFor(cgroup.path);
      const client = [loadProgram('lensfs-load'), `/${file}`, 'open', '1'];
      const command = [...client, `${seconds + 2 * marginSeconds}`];
      commands.push(inContainer(cgroup, find, [file], command));
    }
    return commands;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cgroup of this.#cgroups) await cgroup[Symbol.asyncDispose]();
  }
}

/** Runs load clients side by side; resolves to the number of failed reads when all have ended. */
async function runAll(commands: readonly [string, string[]][]): Promise<number> {
  const failed = commands.map(async (command) => {
    const { code, stdout, stderr } = await run(...command);
    if (code !== 0) throw new Error(`A poller failed: ${stderr}`);
    return (JSON.parse(stdout) as Tally).errors;
  });
  return (await Promise.all(failed)).reduce((sum, errors) => sum + errors, 0);
}
