// SPDX-License-Identifier: Apache-2.0
// Which workers the keeper takes for dead: those that are, however slowly they die, and none that only wait for a CPU.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { printFigures } from '../_support/clients.js';
import { manyDeaths, readAnew } from '../_support/deaths.js';
import { endsWithThis } from '../_support/ends-with-this.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';

const timeoutMs = 240_000;

/** Busy loops; disposing ends them. */
async function busyLoops(count: number): Promise<AsyncDisposable> {
  const script = `import os, sys
for _ in range(${count}):
    if os.fork() == 0:
        while True: pass
print("ready", flush=True)
sys.stdin.read()
os.killpg(0, 9)`;
  const [first = '', ...rest] = [...endsWithThis('KILL'), 'python3', '-c', script];
  const child = spawn(first, rest, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  await once(child.stdout, 'data');
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, 'close');
      child.stdin.end();
      await ended;
    },
  };
}

test(
  'a worker that waits for a CPU among 100 busy loops is not declared silent',
  async () => {
    await using daemon = await RunningDaemon.start(manyDeaths);
    await using _loops = await busyLoops(100);
    // More than twice the silence that a worker is replaced for.
    const end = performance.now() + 12_000;
    while (performance.now() < end) {
      await readFile(`${daemon.tree}/proc/meminfo`);
      await setTimeout(100);
    }
    const begin = performance.now();
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await readAnew(daemon);
    printFigures(
      `100 busy loops: kill to first answer ${(performance.now() - begin).toFixed(0)} ms`,
    );
    await daemon.logged('Serving again');
    const errors = daemon.log.filter(({ level }) => level === 'error');
    expect(errors.map(({ msg, signal }) => [msg, signal])).toEqual([['A worker has ended', 9]]);
  },
  timeoutMs,
);

test(
  'deaths that take five seconds each are as many as fast ones',
  async () => {
    const policy = ['--set', 'workers.deaths=3', '--set', 'workers.window=10s'];
    await using daemon = await RunningDaemon.start(policy);
    const tooMany = daemon.logged("Workers do not last, the tree shows the host's files");
    for (let count = 1; count <= 3; ++count) {
      process.kill(await daemon.workerPid(), 'SIGSTOP');
      await daemon.logged('A worker is silent, replacing it', count);
      if (count < 3) await daemon.logged('Serving again', count);
    }
    expect((await tooMany)['deaths']).toBe(3);
  },
  timeoutMs,
);

test(
  'a reload that comes while a worker starts is done by it',
  async () => {
    await using dir = await TempDir.create();
    const file = dir.at('config.yaml');
    await writeFile(file, 'freshness: 1ms\n');
    const args = [...manyDeaths, '--config', file];
    await using daemon = await RunningDaemon.start(args, { dir });
    for (let count = 1; count <= 5; ++count) {
      await writeFile(file, `freshness: ${count + 1}ms\n`);
      process.kill(await daemon.workerPid(), 'SIGKILL');
      await daemon.logged('A worker has ended', count);
      daemon.child.kill('SIGHUP');
      await daemon.logged('Configuration reloaded', count);
    }
    const ends = daemon.log.filter(({ msg }) => msg === 'A worker has ended');
    expect(ends.map(({ signal }) => signal)).toEqual([9, 9, 9, 9, 9]);
  },
  timeoutMs,
);
