// SPDX-License-Identifier: Apache-2.0
// The control API while containers read as fast as they can, and their reads while it is asked as fast as it answers.
import { fileURLToPath } from 'node:url';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import type { Driver, FindFile } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import { prefer } from '../precedence.js';
import type { ControlTask } from '../scenarios.js';
import { measureLoad } from './load.js';

const program = fileURLToPath(new URL('./asking.js', import.meta.url));

/** One who only wants to know asks so often. */
const politePeriodMs = 20;

/** What asking.js prints. */
interface Answers {
  answers: number;
  failed: number;
  p50: number;
  p99: number;
  max: number;
}

/** How a command is started. */
type Start = (command: string, ...args: string[]) => [string, string[]];

/**
 * Where the kernel allows it, who asks never waits for a CPU: what is measured is how long the daemon takes. In a cgroup
 * it does not (CONFIG_RT_GROUP_SCHED).
 */
async function withoutWaiting(cgroup: TestCgroup): Promise<Start> {
  const start: Start = (...command) => ['chrt', ['--rr', '1', ...command]];
  const { code } = await run(...start('true'));
  if (code !== 0) return (...command) => cgroup.contain(...command);
  return (...command) => start('setpriv', '--pdeathsig', 'KILL', ...command);
}

export async function measureControl(
  driver: Driver,
  container: TestCgroup,
  find: FindFile,
  task: ControlTask,
): Promise<Outcome> {
  const { controlSocket } = driver;
  if (controlSocket === undefined) throw new Error(`${driver.name} has no control socket`);
  await using askers = await TestCgroup.create();
  await using hammers = await TestCgroup.create();
  for (const cgroup of [askers, hammers]) await prefer(cgroup);
  const ask = async (start: Start, connections: number, periodMs: number) => {
    const args = [controlSocket, `${task.seconds}`, `${connections}`, `${periodMs}`];
    const { code, stdout, stderr } = await run(...start(process.execPath, program, ...args));
    if (code !== 0) throw new Error(`Asking failed: ${stderr}`);
    return JSON.parse(stdout) as Answers;
  };
  const hammer: Start = (...command) => hammers.contain(...command);
  const [reads, polite, hammering] = await Promise.all([
    measureLoad(driver, container, find, { ...task, kind: 'load' }),
    ask(await withoutWaiting(askers), 1, politePeriodMs),
    task.hammers === 0 ? undefined : ask(hammer, task.hammers, 0),
  ]);
  return {
    values: {
      ...reads.values,
      answerP50Msec: polite.p50,
      answerP99Msec: polite.p99,
      answerMaxMsec: polite.max,
      answersPerSecond: ((hammering?.answers ?? 0) + polite.answers) / task.seconds,
    },
    errors: reads.errors + polite.failed + (hammering?.failed ?? 0),
  };
}
