// SPDX-License-Identifier: Apache-2.0
// What happens when there are many containers.
import type { Driver } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { ColdTask, FleetTask, GrowthTask } from '../scenarios.js';
import { Fleet } from './fleet-process.js';
import { readTally } from './load.js';
import { usecPerSec } from './programs.js';
import { withDaemonCpu } from './usage.js';

const periodSeconds = 1;

/** All read all files once per second. */
export async function measureFleet(driver: Driver, task: FleetTask): Promise<Outcome> {
  await using fleet = await Fleet.start(task.containers);
  const files = await findAll(driver, fleet, task.files);
  await fleet.once(files);
  const { result, cpuUsec } = await withDaemonCpu(driver, () =>
    fleet.poll(task.seconds, periodSeconds, files),
  );
  const { values, errors } = readTally(result, cpuUsec);
  const usec = result.seconds * usecPerSec;
  return {
    values: {
      ...values,
      ...(cpuUsec !== undefined && { daemonCpuPercent: (cpuUsec / usec) * 100 }),
      ...(await driver.memory()),
    },
    errors,
  };
}

/** Each reads one file once, one after another. */
export async function measureCold(driver: Driver, task: ColdTask): Promise<Outcome> {
  await using fleet = await Fleet.start(task.containers);
  const files = await findAll(driver, fleet, [task.file]);
  const { result, cpuUsec } = await withDaemonCpu(driver, () => fleet.once(files));
  return readTally(result, cpuUsec);
}

/** The containers read in turn, so that no two reads in a row are of the same view. */
export async function measureGrowth(driver: Driver, task: GrowthTask): Promise<Outcome> {
  await using fleet = await Fleet.start(task.containers);
  const files = await findAll(driver, fleet, [task.file]);
  await fleet.once(files);
  const { result, cpuUsec } = await withDaemonCpu(driver, () => fleet.turns(task.seconds, files));
  const { values, errors } = readTally(result, cpuUsec);
  return { values: { ...values, ...(await driver.memory()) }, errors };
}

async function findAll(driver: Driver, fleet: Fleet, files: readonly string[]): Promise<string[]> {
  const find = await driver.filesFor(fleet.cgroupPath);
  return files.map(find);
}
