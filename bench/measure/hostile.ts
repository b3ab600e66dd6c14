// SPDX-License-Identifier: Apache-2.0
// How long a container waits for an answer while another one does all it can to be in the way.
import { abuses } from '../../test/_support/abuses.js';
import { HostileContainers } from '../../test/_support/hostile-containers.js';
import type { Driver } from '../drivers/driver.js';
import type { Outcome } from '../measurement.js';
import type { HostileTask } from '../scenarios.js';
import { Fleet } from './fleet-process.js';
import { readTally } from './load.js';

const file = 'proc/meminfo';
/** The abuse has begun to show before the reads that are measured. */
const marginSeconds = 1;
/** As containers of strangers have it: it cannot take all of the machine, but all of its daemon's time. */
const limits = { memoryBytes: 512 * 2 ** 20, cpus: 1 };

export async function measureHostile(driver: Driver, task: HostileTask): Promise<Outcome> {
  await using fleet = await Fleet.start(1);
  const find = await driver.filesFor(fleet.cgroupPath);
  const files = [find(file)];
  await fleet.once(files);
  await using containers = new HostileContainers();
  const tree = find(file).slice(0, -`/${file}`.length);
  const abuser = await containers.start(abuses[task.abuse] ?? '', [tree], limits);
  await abuser.next();
  abuser.go();
  await fleet.poll(marginSeconds, task.periodSeconds, files);
  const tally = await fleet.poll(task.seconds, task.periodSeconds, files);
  if (abuser.child.exitCode !== null) throw new Error(`"${task.abuse}" has ended by itself`);
  return readTally(tally, undefined);
}
