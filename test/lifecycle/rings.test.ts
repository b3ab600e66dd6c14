// SPDX-License-Identifier: Apache-2.0
// FUSE over io_uring: readers notice neither that it is there nor that it begins anew.
import { readFile, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BuildCopy } from '../_support/build-copy.js';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles, printFigures } from '../_support/clients.js';
import { killWorkers, manyDeaths } from '../_support/deaths.js';
import { denying, syscalls } from '../_support/denying.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements, statusOf } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { canTakeCpu, lastCpu, takeOffline } from '../_support/offline-cpu.js';
import { testWith } from '../_support/requirements.js';
import {
  hasRings,
  ringSwitchPath,
  ringTasks,
  switchRingsOn,
  withRings,
} from '../_support/rings.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const requirements = [
  ...mountRequirements,
  { met: hasRings, missing: 'needs Linux 6.14 with CONFIG_FUSE_IO_URING' },
];
const test = testWith(...requirements);
const testOnCpus = testWith(...requirements, {
  met: canTakeCpu,
  missing: 'needs a CPU that can be taken offline',
});
const suiteTimeoutMs = 240_000;
const kills = Number(process.env['LENSFS_RING_KILLS'] ?? 50);
const killsTimeoutMs = 60_000 + kills * 5_000;

let ringSwitch: AsyncDisposable | undefined;
let cgroup: TestCgroup | undefined;
if (requirements.every((requirement) => requirement.met())) {
  beforeAll(async () => {
    ringSwitch = await switchRingsOn();
    cgroup = await TestCgroup.create();
  });
  afterAll(async () => {
    await cgroup?.[Symbol.asyncDispose]();
    await ringSwitch?.[Symbol.asyncDispose]();
  });
}

/** Files that are read through both connections. */
async function filesOfReaders(daemon: RunningDaemon): Promise<string[]> {
  return clientFiles(daemon, await viewOf(daemon, cgroup?.path ?? ''));
}

/** A command whose program finds `file` in the place of another one, and nobody else does. */
function seeing(file: string, place: string): string[] {
  const script = `mount --bind '${file}' '${place}'; exec "$@"`;
  return ['unshare', '--mount', 'sh', '-ec', script, 'sh'];
}

test('a connection has a ring on each CPU, and status says so', async () => {
  await using daemon = await RunningDaemon.start(withRings);
  const { transport } = await statusOf(daemon);
  expect(transport).toMatchObject({ kind: 'ring', reason: '', forced: 0 });
  expect(transport.bytesPerCpu).toBeLessThanOrEqual(256 * 1024);
  const tasks = await ringTasks(await daemon.workerPid());
  expect(tasks).toHaveLength(2 * transport.cpus);
  // They share the CPUs with who reads, unlike the worker's own thread.
  expect(new Set(tasks.map((pid) => getPriority(pid)))).toEqual(new Set([getPriority()]));
  const { stdout } = await daemon.command('status');
  expect(stdout).toMatch(/^Transport +ring on \d+ CPUs, 240 KiB each$/m);
  expect((await daemon.command('stop')).code).toBe(0);
  expect(await mountsIn(daemon.dir.path)).toEqual([]);
});

test(
  `kill -9 of the worker × ${kills} fails no read of ten clients`,
  async () => {
    await using daemon = await RunningDaemon.start([...withRings, ...manyDeaths]);
    await using clients = await Clients.start(await filesOfReaders(daemon));
    await killWorkers(daemon, { times: kills });
    await clients.finish(`rings, kill -9 × ${kills}`);
    const { transport } = await statusOf(daemon);
    printFigures(`  ended by force at the last takeover: ${transport.forced}`);
    expect(transport).toMatchObject({ kind: 'ring', forced: 0 });
  },
  killsTimeoutMs,
);

test(
  'a task that crashes takes its worker with it, and the next one answers',
  async () => {
    await using daemon = await RunningDaemon.start([...withRings, ...manyDeaths]);
    const worker = await daemon.workerPid();
    const [task] = await ringTasks(worker);
    if (task === undefined) throw new Error('The worker has no task of a ring');
    process.kill(task, 'SIGSEGV');
    expect(await daemon.logged('A worker has ended')).toMatchObject({ worker, signal: 11 });
    await daemon.logged('Serving again');
    expect(await readFile(join(daemon.tree, 'proc/meminfo'), 'utf8')).toMatch(/^MemTotal: /);
  },
  suiteTimeoutMs,
);

describe('SIGUSR2', () => {
  for (const [from, to] of [
    ['ring', 'classic'],
    ['classic', 'ring'],
  ] as const) {
    test(
      `to a worker that wants ${to} leaves a connection that began as ${from} as it is`,
      async () => {
        await using dir = await TempDir.create();
        const build = await BuildCopy.create(dir);
        const file = dir.at('config.yaml');
        await writeFile(file, `transport: ${from}\n`);
        const args = ['--config', file];
        await using daemon = await RunningDaemon.start(args, { dir, program: build.program });
        await using clients = await Clients.start(await filesOfReaders(daemon));
        // Another version reads its configuration anew.
        await writeFile(file, `transport: ${to}\n`);
        await build.setVersion('9.9.1');
        daemon.child.kill('SIGUSR2');
        await daemon.logged('Serving again');
        await clients.finish(`SIGUSR2, ${from} to ${to}`);
        expect((await statusOf(daemon)).transport).toMatchObject({ kind: from, forced: 0 });
      },
      suiteTimeoutMs,
    );
  }
});

test('keeper and worker killed leave nobody behind', async () => {
  await using daemon = await RunningDaemon.start(withRings);
  const worker = await daemon.workerPid();
  const tasks = await ringTasks(worker);
  expect(tasks.length).toBeGreaterThan(0);
  daemon.child.kill('SIGKILL');
  process.kill(worker, 'SIGKILL');
  for (const task of tasks) {
    await waitUntil('the task has gone', async () => {
      const stat = await readFile(`/proc/${task}/stat`, 'utf8').catch(() => ') Z');
      return /\) Z/.test(stat);
    });
  }
});

test('without the kernel’s io_uring reads come the classic way, and status says why', async () => {
  // A process that may not set up an io_uring, as under a container runtime's seccomp filter.
  const prefix = denying(syscalls.io_uring_setup);
  await using daemon = await RunningDaemon.start(withRings, { prefix });
  expect(await readFile(join(daemon.tree, 'proc/meminfo'), 'utf8')).toMatch(/^MemTotal: /);
  const reason = 'cannot set up io_uring: Operation not permitted';
  expect((await statusOf(daemon)).transport).toMatchObject({ kind: 'classic', reason });
  expect((await daemon.command('doctor')).stdout).toContain(`classic: ${reason}`);
  expect(await daemon.logged('Reads come without FUSE over io_uring')).toMatchObject({
    level: 'warn',
    reason,
  });
});

test('auto takes the classic way without a warning, and tells the reason with the rest', async () => {
  await using narrow = await TestCgroup.create({ cpuset: '0' });
  const [shell, args] = narrow.enter('env');
  const auto = ['--set', 'transport=auto'];
  await using daemon = await RunningDaemon.start(auto, { prefix: [shell, ...args] });
  const transportReason = expect.stringMatching(/^CPU \d+ is outside of this process's cpuset$/);
  const serving = { msg: 'Serving', transport: 'classic', transportReason };
  expect(daemon.log).toEqual([expect.objectContaining(serving)]);
});

test('kernel.io_uring_disabled is named as the reason', async () => {
  await using dir = await TempDir.create();
  await writeFile(dir.at('disabled'), '2\n');
  const prefix = seeing(dir.at('disabled'), '/proc/sys/kernel/io_uring_disabled');
  await using daemon = await RunningDaemon.start(withRings, { prefix });
  const reason = 'kernel.io_uring_disabled is 2';
  expect((await statusOf(daemon)).transport).toMatchObject({ kind: 'classic', reason });
  const file = join(daemon.tree, 'proc/meminfo');
  const inside = ['--mount', `--target=${daemon.child.pid}`, 'cat', file];
  expect((await run('nsenter', inside)).stdout).toMatch(/^MemTotal: /);
});

testOnCpus('a CPU that goes, and comes back to a worker that began without it', async () => {
  await using daemon = await RunningDaemon.start(withRings);
  const readers = await filesOfReaders(daemon);
  await using clients = await Clients.start(readers);
  const cpu = lastCpu();
  {
    await using _offline = await takeOffline(cpu);
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await daemon.logged('Serving again');
  }
  for (const file of readers) {
    const { stdout } = await run('taskset', ['--cpu-list', String(cpu), 'cat', file]);
    expect(stdout).toMatch(/\n$/);
  }
  await clients.finish('rings, a CPU less');
  expect((await statusOf(daemon)).transport).toMatchObject({ kind: 'ring', forced: 0 });
});

testOnCpus('a daemon that begins with a CPU less than is possible', async () => {
  const cpu = lastCpu();
  const offline = await takeOffline(cpu);
  await using daemon = await RunningDaemon.start(withRings).finally(async () => {
    await offline[Symbol.asyncDispose]();
  });
  const { transport } = await statusOf(daemon);
  expect(transport).toMatchObject({ kind: 'ring', reason: '' });
  for (const file of await filesOfReaders(daemon)) {
    const { stdout } = await run('taskset', ['--cpu-list', String(cpu), 'cat', file]);
    expect(stdout).toMatch(/\n$/);
  }
  expect((await daemon.command('stop')).code).toBe(0);
});

for (const [enableModule, content] of [
  ['off', 'N\n'],
  ['on', 'Y'],
] as const) {
  test(`ring.enable_module=${enableModule} leaves the kernel's switch at ${content.trim()}`, async () => {
    await using dir = await TempDir.create();
    const file = dir.at('switch');
    await writeFile(file, 'N\n');
    const args = ['--set', `ring.enable_module=${enableModule}`];
    await using daemon = await RunningDaemon.start(args, { prefix: seeing(file, ringSwitchPath) });
    expect(await readFile(file, 'utf8')).toBe(content);
    const lines = daemon.log.filter(
      ({ msg }) => msg === 'FUSE over io_uring switched on in the kernel',
    );
    expect(lines).toHaveLength(enableModule === 'on' ? 1 : 0);
  });
}

test('on fewer CPUs than there are reads come the classic way', async () => {
  await using narrow = await TestCgroup.create({ cpuset: '0' });
  const [shell, args] = narrow.enter('env');
  await using daemon = await RunningDaemon.start(withRings, { prefix: [shell, ...args] });
  expect((await statusOf(daemon)).transport).toMatchObject({
    kind: 'classic',
    reason: expect.stringMatching(/^CPU \d+ is outside of this process's cpuset$/),
  });
  expect(await readFile(join(daemon.tree, 'proc/meminfo'), 'utf8')).toMatch(/^MemTotal: /);
});
