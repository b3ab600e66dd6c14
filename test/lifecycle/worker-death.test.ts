// SPDX-License-Identifier: Apache-2.0
// Workers die in every way there is, and no reader notices but by waiting.
import type { ChildProcess } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { BuildCopy } from '../_support/build-copy.js';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles, printFigures } from '../_support/clients.js';
import { killWorkers, manyDeaths } from '../_support/deaths.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements, statusOf, mountTest as test } from '../_support/mounted.js';
import { testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { pinnedDirectoryOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const suiteTimeoutMs = 240_000;

/** Whoever has memory in common with a process that the OOM killer ends, is ended too. */
const testOnDescriptor = testWith(...mountRequirements, {
  met: () => process.env['TEST_TRANSPORT'] !== 'ring',
  missing: 'tasks of rings end together with their worker, and reads fail at that moment',
});

async function clientsOf(daemon: RunningDaemon, cgroup: TestCgroup): Promise<Clients> {
  const view = basename(await pinnedDirectoryOf(daemon, cgroup.path));
  return await Clients.start(clientFiles(daemon, view));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Until `end`, has the process run for a moment only now and then: much has happened each time. */
async function delayedUntil(child: ChildProcess, end: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  const ending = end.finally(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    child.kill('SIGSTOP');
    await setTimeout(300);
    child.kill('SIGCONT');
    await setTimeout(5);
  }
  await ending;
}

describe('a worker that is killed', () => {
  for (const [standby, times] of [
    ['off', 200],
    ['on', 50],
  ] as const) {
    test(
      `${times} times with standby ${standby}, fails no read`,
      async () => {
        await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
        const args = [...manyDeaths, '--set', `standby=${standby}`];
        await using daemon = await RunningDaemon.start(args);
        await using clients = await clientsOf(daemon, cgroup);
        const isReady = async () => {
          const children = `/proc/${daemon.child.pid}/task/${daemon.child.pid}/children`;
          const pids = (await readFile(children, 'utf8')).trim().split(' ');
          return standby === 'off' || pids.length > 1;
        };
        const durations = await killWorkers(daemon, { times, isReady });
        const report = await clients.finish(`kill -9 × ${times}, standby ${standby}`);
        printFigures(`  kill to the first answer: median ${median(durations).toFixed(0)} ms`);
        expect(report.reads).toBeGreaterThan(times);
        expect((await statusOf(daemon)).layers).toBe(2);
      },
      suiteTimeoutMs,
    );
  }

  test(
    'by SIGSEGV is replaced',
    async () => {
      await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
      await using daemon = await RunningDaemon.start(manyDeaths);
      await using clients = await clientsOf(daemon, cgroup);
      for (let count = 1; count <= 5; ++count) {
        process.kill(await daemon.workerPid(), 'SIGSEGV');
        await daemon.logged('Serving again', count);
      }
      await clients.finish('SIGSEGV × 5');
      expect((await daemon.logged('A worker has ended'))['signal']).toBe(11);
    },
    suiteTimeoutMs,
  );

  testOnDescriptor('by the OOM killer is replaced', async () => {
    await using limited = await TestCgroup.create({ memoryBytes: 400 * 2 ** 20 });
    const [shell, args] = limited.enter('env');
    await using daemon = await RunningDaemon.start(manyDeaths, { prefix: [shell, ...args] });
    await using clients = await Clients.start([`${daemon.tree}/proc/meminfo`]);
    const worker = await daemon.workerPid();
    await writeFile(`/proc/${worker}/oom_score_adj`, '1000');
    const [hogShell, hogArgs] = limited.enter('python3', '-c', 'b"x" * (380 << 20)');
    await run(hogShell, hogArgs);
    await daemon.logged('Serving again');
    expect(await daemon.logged('A worker has ended')).toMatchObject({ worker, signal: 9 });
    await clients.finish('OOM');
  });
});

describe('a worker that does not answer', () => {
  test(
    'because it is stopped, is replaced within 8 s',
    async () => {
      await using daemon = await RunningDaemon.start(manyDeaths);
      await using clients = await Clients.start([`${daemon.tree}/proc/stat`]);
      process.kill(await daemon.workerPid(), 'SIGSTOP');
      await daemon.logged('Serving again');
      const report = await clients.finish('SIGSTOP');
      expect(report.longestMs).toBeLessThan(8_000);
      await daemon.logged('A worker is silent, replacing it');
    },
    suiteTimeoutMs,
  );
});

describe('a worker that is replaced', () => {
  test(
    'by another build × 20 hands everything over',
    async () => {
      await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
      await using dir = await TempDir.create();
      const build = await BuildCopy.create(dir);
      await using daemon = await RunningDaemon.start([], { dir, program: build.program });
      await using clients = await clientsOf(daemon, cgroup);
      for (let count = 1; count <= 20; ++count) {
        await build.setVersion(`9.9.${count}`);
        daemon.child.kill('SIGUSR2');
        await daemon.logged('Serving again', count);
      }
      await clients.finish('SIGUSR2 × 20');
      expect(await statusOf(daemon)).toMatchObject({ version: '9.9.20', workers: 21, layers: 2 });
      expect(daemon.log.filter(({ level }) => level !== 'info')).toEqual([]);
    },
    suiteTimeoutMs,
  );

  test(
    'is not complained of by a keeper that learns of its last words and its end together',
    async () => {
      await using daemon = await RunningDaemon.start();
      for (let count = 1; count <= 5; ++count) {
        daemon.child.kill('SIGUSR2');
        await delayedUntil(daemon.child, daemon.logged('Serving again', count));
      }
      expect(daemon.log.filter(({ level }) => level !== 'info')).toEqual([]);
    },
    suiteTimeoutMs,
  );

  test(
    'keeps what was reloaded',
    async () => {
      await using dir = await TempDir.create();
      const file = dir.at('config.yaml');
      await writeFile(file, '');
      await using daemon = await RunningDaemon.start(['--config', file], { dir });
      await using clients = await Clients.start([`${daemon.tree}/proc/meminfo`]);
      for (let count = 1; count <= 50; ++count) {
        await writeFile(file, `swap: ${count % 2 === 0 ? 'off' : 'on'}\nfreshness: ${count}ms\n`);
        expect((await daemon.command('reload')).code).toBe(0);
      }
      await writeFile(file, 'wrong: 1\n');
      process.kill(await daemon.workerPid(), 'SIGKILL');
      await daemon.logged('Serving again');
      await clients.finish('reload × 50');
      expect(await readFile(`${daemon.tree}/proc/meminfo`, 'utf8')).toMatch(/^SwapTotal: +0 kB$/m);
    },
    suiteTimeoutMs,
  );
});

describe('workers that do not last', () => {
  test(
    'leave the host’s values until one does',
    async () => {
      await using dir = await TempDir.create();
      const build = await BuildCopy.create(dir);
      await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
      await using daemon = await RunningDaemon.start([], { dir, program: build.program });
      const meminfo = `${daemon.tree}/proc/meminfo`;
      const totalInside = async () => (await run(...cgroup.contain('head', '-n1', meminfo))).stdout;
      const hostTotal = (await readFile('/proc/meminfo', 'utf8')).split('\n')[0];
      expect(await totalInside()).toMatch(/ 65536 kB$/m);
      const mend = await build.breakWorker();
      const begin = performance.now();
      process.kill(await daemon.workerPid(), 'SIGKILL');
      await daemon.logged("Workers do not last, the tree shows the host's files");
      printFigures(`Crash loop: host values after ${(performance.now() - begin).toFixed(0)} ms`);
      expect(await totalInside()).toBe(`${hostTotal}\n`);
      await mend();
      await daemon.logged('A worker is well, its files come back to the tree');
      await waitUntil('the container’s values are back', async () =>
        (await totalInside()).includes(' 65536 kB'),
      );
      expect((await statusOf(daemon)).layers).toBe(2);
    },
    suiteTimeoutMs,
  );
});

describe('a worker short of something', () => {
  test('descriptors, answers on, and so does its successor', async () => {
    const prefix = ['prlimit', '--nofile=128:128'];
    await using daemon = await RunningDaemon.start([], { prefix });
    await using clients = await Clients.start([`${daemon.tree}/proc/stat`]);
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await daemon.logged('Serving again');
    // Answered by the control plane: reads went on while all of it was loaded.
    const { fallbacks } = await statusOf(daemon);
    await clients.finish('128 descriptors');
    expect(fallbacks).toEqual([]);
  });

  test('room in its run directory, serves again', async () => {
    await using dir = await TempDir.create();
    await mkdir(dir.at('run'));
    const mount = ['-t', 'tmpfs', '-o', 'size=64k', 'none', dir.at('run')];
    expect((await run('mount', mount)).code).toBe(0);
    await using daemon = await RunningDaemon.start([], { dir });
    await run('sh', ['-c', 'cat /dev/zero >"$0"/fill', dir.at('run')]);
    await using clients = await Clients.start([`${daemon.tree}/proc/stat`]);
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await daemon.logged('Serving again');
    await clients.finish('full run directory');
    expect((await daemon.command('status')).code).toBe(0);
    expect((await daemon.command('stop')).code).toBe(0);
  });
});
