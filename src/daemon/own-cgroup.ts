// SPDX-License-Identifier: Apache-2.0
// Cgroups for a daemon that outlives its container: outside the container's, with the limits those have.
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mount, parseMounts } from '../containers/mount-table.js';
import { codeOf, messageOf } from '../errors.js';
import { type Logger, logMessages } from '../logger.js';
import { DaemonError } from './daemon-error.js';

/** The files with limits of each controller, in the order in which they can be written; "" is cgroup v2. */
const limitFiles: Record<string, readonly string[]> = {
  '': ['memory.max', 'memory.high', 'cpu.max', 'cpu.weight'],
  memory: ['memory.limit_in_bytes'],
  cpu: ['cpu.cfs_period_us', 'cpu.cfs_quota_us', 'cpu.shares'],
};

/** One hierarchy's part. */
export interface CgroupPlan {
  /** Where to go. */
  directory: string;
  /** The container's, which has the limits. */
  from: string;
  limits: readonly string[];
}

/**
 * Where a process can go that is to leave the cgroups it is in: in hierarchies with limits to a cgroup `name`, in the
 * others to the root. A hierarchy that is not mounted as a whole is left out.
 *
 * `mountinfo` and `cgroup` are the texts of /proc/self.
 */
export function planOwnCgroup(mountinfo: string, cgroup: string, name: string): CgroupPlan[] {
  const mounts = parseMounts(mountinfo).filter(({ root }) => root === '/');
  return cgroup.split('\n').flatMap((line) => {
    const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (names === undefined || path === undefined) return [];
    const controllers = names.split(',');
    const mount = mounts.findLast((candidate) => isHierarchy(candidate, controllers));
    if (mount === undefined) return [];
    // A cgroup with a cpuset takes no process before it has CPUs.
    const limits = controllers.includes('cpuset')
      ? []
      : controllers.flatMap((controller) => limitFiles[controller] ?? []);
    const directory = limits.length > 0 ? join(mount.point, name) : mount.point;
    return [{ directory, from: join(mount.point, path), limits }];
  });
}

function isHierarchy({ type, fileSystemOptions }: Mount, controllers: readonly string[]): boolean {
  if (controllers.join() === '') return type === 'cgroup2';
  const options = fileSystemOptions.split(',');
  return type === 'cgroup' && controllers.every((controller) => options.includes(controller));
}

/**
 * Makes what `planOwnCgroup` plans; the directories.
 *
 * @throws DaemonError "no_own_cgroup"
 */
export async function makeOwnCgroup(name: string, logger: Logger): Promise<string[]> {
  // By this thread: those that read asynchronously may be in a cgroup namespace where paths are others.
  const [mountinfo = '', cgroup = ''] = ['mountinfo', 'cgroup'].map((file) =>
    readFileSync(`/proc/self/${file}`, 'utf8'),
  );
  const plans = planOwnCgroup(mountinfo, cgroup, name);
  if (plans.length === 0) {
    const advice = 'mount the host\'s "/sys/fs/cgroup" there';
    throw new DaemonError('no_own_cgroup', `No cgroup hierarchy is mounted as a whole: ${advice}`);
  }
  for (const plan of plans) await make(plan, logger);
  return plans.map(({ directory }) => directory);
}

async function make({ directory, from, limits }: CgroupPlan, logger: Logger): Promise<void> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    const advice = 'mount the host\'s "/sys/fs/cgroup" writable, or leave out --outlive';
    const message = `Cannot make the cgroup "${directory}": ${messageOf(error)}; ${advice}`;
    throw new DaemonError('no_own_cgroup', message, error);
  }
  for (const file of limits) {
    try {
      await writeFile(join(directory, file), await readFile(join(from, file)), { flag: 'r+' });
    } catch (error) {
      // The root has no limits, and a controller may be off.
      if (codeOf(error) === 'ENOENT') continue;
      logger.warn(
        { file: join(directory, file), reason: messageOf(error) },
        logMessages.noOwnLimit,
      );
    }
  }
}
