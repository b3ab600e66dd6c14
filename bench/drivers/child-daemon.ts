// SPDX-License-Identifier: Apache-2.0
// Runs somebody else's FUSE daemon on a directory of its own, in a cgroup of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../test/_support/lensfs.js';
import { TempDir } from '../../test/_support/temp-dir.js';
import { waitUntil } from '../../test/_support/wait.js';
import type { DriverName } from '../measurement.js';
import { DaemonCgroup } from './daemon-cgroup.js';
import type { Driver } from './driver.js';
import { describeEnding } from './lensfs.js';

/** Less than it takes to notice; a daemon that has lost its senses is killed. */
const patienceMs = 3_000;

/** Starts a command that serves `proc/meminfo` in the directory it is given, and waits until it does. */
export async function startChildDaemon(
  name: DriverName,
  commandLine: (tree: string, dir: TempDir) => readonly string[],
): Promise<Driver> {
  const dir = await TempDir.create();
  const cgroup = await DaemonCgroup.create();
  const tree = dir.at('tree');
  await mkdir(tree);
  const [shell = 'sh', ...args] = [...cgroup.prefix(), ...commandLine(tree, dir)];
  const child = spawn(shell, args, { stdio: 'ignore' });
  const stop = async () => {
    await end(child);
    await run('umount', ['-l', tree]);
    await cgroup[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  };
  try {
    await waitUntil(`${name} serves`, async () => {
      const ending = describeEnding(child);
      if (ending !== undefined) throw new Error(`${name} ${ending} before it served`);
      return await readFile(`${tree}/proc/meminfo`).then(
        () => true,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    filesFor: async () => (file) => join(tree, file),
    cpuUsec: () => cgroup.cpuUsec(),
    memory: () => cgroup.memory(),
    ending: () => describeEnding(child),
    [Symbol.asyncDispose]: stop,
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (describeEnding(child) !== undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await exited;
  clearTimeout(killer);
}
