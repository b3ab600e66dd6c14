// SPDX-License-Identifier: Apache-2.0
// Containers' cgroups under the names they have on the host: what a daemon in a container needs for that.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseMounts } from '../containers/mount-table.js';
import { codeOf } from '../errors.js';
import { enterHostCgroups } from '../native/process.js';
import { DaemonError } from './daemon-error.js';

export interface CgroupRoots {
  proc: string;
  cgroup: string;
}

/** A mount of a cgroup hierarchy that lacks what is above or beside one cgroup. */
export interface PartialMount {
  point: string;
  cgroup: string;
}

/**
 * Leaves this thread's cgroup namespace for the host's.
 *
 * @throws DaemonError "part_of_cgroups" when containers' cgroups cannot be found
 */
export function joinHostCgroups(roots: CgroupRoots): void {
  try {
    enterHostCgroups(roots.proc);
  } catch (error) {
    // What is wrong with the addon says its own error.
    if (!/^E[A-Z]+$/.test(codeOf(error) ?? '')) throw error;
    const advice = 'start its container in the host\'s ("--cgroupns host"), or privileged';
    const message = `Cannot leave a cgroup namespace of its own (${codeOf(error)}): ${advice}`;
    throw new DaemonError('part_of_cgroups', message, error);
  }
  const mountinfo = readFileSync('/proc/self/mountinfo', 'utf8');
  const part = findPartialMount(mountinfo, roots.cgroup);
  if (part === undefined) return;
  const message = `Only the cgroup "${part.cgroup}" is mounted at "${part.point}", and containers' are elsewhere: mount the host's "/sys/fs/cgroup" there`;
  throw new DaemonError('part_of_cgroups', message);
}

/** A hierarchy of which only a part is mounted, at `root` or directly below it; of several mounts the one on top counts. */
export function findPartialMount(mountinfo: string, root: string): PartialMount | undefined {
  const tops = new Map<string, PartialMount | undefined>();
  for (const { point, root: cgroup, type } of parseMounts(mountinfo)) {
    if (point !== root && dirname(point) !== root) continue;
    const isPart = (type === 'cgroup' || type === 'cgroup2') && cgroup !== '/';
    tops.set(point, isPart ? { point, cgroup } : undefined);
  }
  return [...tops.values()].find((mount) => mount !== undefined);
}
