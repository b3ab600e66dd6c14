// SPDX-License-Identifier: Apache-2.0
// The daemons that are compared, each on directories of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { RunningDaemon, run } from '../../test/_support/lensfs.js';
import { TempDir } from '../../test/_support/temp-dir.js';
import { waitUntil } from '../../test/_support/wait.js';

const usecPerTick = 10_000; // USER_HZ is 100 everywhere

/** A daemon that serves a tree with proc/ in it. */
export interface Driver extends AsyncDisposable {
  readonly name: string;
  readonly tree: string;
  readonly pid: number;
}

export async function startLensfs(name: string, args: readonly string[]): Promise<Driver> {
  const daemon = await RunningDaemon.start(args);
  return {
    name,
    tree: daemon.tree,
    pid: daemon.child.pid ?? 0,
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** LXCFS as its package's unit starts it. Its runtime directory cannot be chosen: no other may run. */
export async function startLxcfs(): Promise<Driver> {
  const dir = await TempDir.create();
  const tree = dir.at('tree');
  await mkdir(tree);
  const options = ['--foreground', `--pidfile=${dir.at('pid')}`];
  const child = spawn('lxcfs', [...options, tree], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    await run('umount', ['-l', tree]);
    await dir[Symbol.asyncDispose]();
  };
  try {
    await waitUntil('lxcfs serves', async () => {
      return await readFile(`${tree}/proc/uptime`).then(
        () => true,
        () => false,
      );
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: 'lxcfs', tree, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
}

/** User and system time of a process and all its threads. */
export async function cpuUsec({ pid }: Driver): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * usecPerTick;
}
