// SPDX-License-Identifier: Apache-2.0
// What the lensfs drivers share: a `lensfs serve` in a cgroup of its own.
import { controlSocketPath } from '../../src/config/paths.js';
import { RunningDaemon } from '../../test/_support/lensfs.js';
import type { DriverName } from '../measurement.js';
import { DaemonCgroup } from './daemon-cgroup.js';
import type { Driver, DriverOptions, FindFile } from './driver.js';

type FilesFor = (daemon: RunningDaemon, cgroupPath: string) => Promise<FindFile>;

export async function startLensfs(
  name: DriverName,
  filesFor: FilesFor,
  { alwaysRender = false, readers }: DriverOptions,
  extraArgs: readonly string[] = [],
): Promise<Driver> {
  const cgroup = await DaemonCgroup.create();
  try {
    const settings = [
      ...(alwaysRender ? ['freshness=0'] : []),
      ...(readers === undefined ? [] : [`readers=${readers}`]),
    ];
    const args = [...settings.flatMap((setting) => ['--set', setting]), ...extraArgs];
    const daemon = await RunningDaemon.start(args, { prefix: cgroup.prefix() });
    return {
      name,
      places: { tree: daemon.tree, runDir: daemon.runDir },
      filesFor: (cgroupPath) => filesFor(daemon, cgroupPath),
      cpuUsec: () => cgroup.cpuUsec(),
      memory: () => cgroup.memory(),
      controlSocket: controlSocketPath(daemon.runDir),
      ending: () => describeEnding(daemon.child),
      [Symbol.asyncDispose]: async () => {
        await daemon[Symbol.asyncDispose]();
        await cgroup[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await cgroup[Symbol.asyncDispose]();
    throw error;
  }
}

/** How a child process has ended; undefined while it runs. */
export function describeEnding(child: {
  exitCode: number | null;
  signalCode: NodeJS.Signals | null;
}): string | undefined {
  if (child.signalCode !== null) return `ended by ${child.signalCode}`;
  return child.exitCode === null ? undefined : `ended with ${child.exitCode}`;
}
