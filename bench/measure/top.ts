// SPDX-License-Identifier: Apache-2.0
// `top` in a container: a program that people run, not a loop around read.
import type { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import type { Driver, FindFile } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { TopTask } from '../scenarios.js';
import { inContainer } from './in-container.js';
import { usecPerSec } from './programs.js';
import { withDaemonCpu } from './usage.js';

const script = `
TIMEFORMAT='%R %U %S'
time top -b -d "$1" -n "$2" >/dev/null`;

export async function measureTop(
  driver: Driver,
  container: TestCgroup,
  find: FindFile,
  { files, delaySec, iterations }: TopTask,
): Promise<Outcome> {
  const program = ['bash', '-c', script, 'bash', `${delaySec}`, `${iterations}`];
  const command = inContainer(container, find, files, program);
  const env = { ...process.env, TERM: 'dumb', LC_ALL: 'C' };
  const timeout = 60_000;
  const { result, cpuUsec } = await withDaemonCpu(driver, () => run(...command, { env, timeout }));
  const times = /^([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(result.stderr);
  if (result.code !== 0 || times === null) throw new Error(`top failed: ${result.stderr}`);
  const [wallSec = 0, userSec = 0, systemSec = 0] = times.slice(1).map(Number);
  return {
    values: {
      wallSec,
      clientCpuSec: userSec + systemSec,
      ...(cpuUsec !== undefined && { daemonCpuSec: cpuUsec / usecPerSec }),
    },
    errors: 0,
  };
}
