// SPDX-License-Identifier: Apache-2.0
// `top` in a container: a program that people run, not a loop around read.
import type { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import type { Driver, FindFile } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { TopTask } from '../scenarios.js';
import { usecPerSec } from './programs.js';
import { withDaemonCpu } from './usage.js';

/** Arguments: delay, iterations, then pairs of a file and what it is mounted over. */
const script = `
delay=$1 iterations=$2
shift 2
while (($#)); do
  [[ $1 == "$2" ]] || mount --bind "$1" "$2" || exit 125
  shift 2
done
TIMEFORMAT='%R %U %S'
time top -b -d "$delay" -n "$iterations" >/dev/null`;

export async function measureTop(
  driver: Driver,
  container: TestCgroup,
  find: FindFile,
  { files, delaySec, iterations }: TopTask,
): Promise<Outcome> {
  const command = container.contain(
    ...(['unshare', '--mount', '--mount-proc', 'bash', '-c', script, 'bash'] as const),
    ...[`${delaySec}`, `${iterations}`],
    ...files.flatMap((file) => [find(file), `/${file}`]),
  );
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
