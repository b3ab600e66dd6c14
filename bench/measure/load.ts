// SPDX-License-Identifier: Apache-2.0
// Clients that read one file as fast as they can, in a container of their own.
import type { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import type { Driver, FindFile } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { LoadTask, ReadersTask } from '../scenarios.js';
import { inContainer } from './in-container.js';
import { loadProgram, nsecPerUsec, type Tally } from './programs.js';
import { withDaemonCpu } from './usage.js';

export async function measureLoad(
  driver: Driver,
  container: TestCgroup,
  find: FindFile,
  { file, access, clients, seconds }: (LoadTask | ReadersTask) & { seconds: number },
): Promise<Outcome> {
  const client = [loadProgram('lensfs-load'), `/${file}`, access, `${clients}`, `${seconds}`];
  const command = inContainer(container, find, [file], client);
  const { result, cpuUsec } = await withDaemonCpu(driver, () => run(...command));
  if (result.code !== 0) throw new Error(`The load client failed: ${result.stderr}`);
  return readTally(JSON.parse(result.stdout) as Tally, cpuUsec);
}

/** A tally as values; the failed reads are the errors. */
export function readTally(tally: Tally, cpuUsec: number | undefined): Outcome {
  const { reads, errors, bytes, seconds, p50_ns, p99_ns } = tally;
  return {
    values: {
      readsPerSecond: reads / seconds,
      p50Usec: p50_ns / nsecPerUsec,
      p99Usec: p99_ns / nsecPerUsec,
      ...(cpuUsec !== undefined && { cpuUsecPerRead: cpuUsec / reads }),
      bytesPerRead: bytes / reads,
    },
    errors,
  };
}
