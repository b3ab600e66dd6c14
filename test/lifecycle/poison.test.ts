// SPDX-License-Identifier: Apache-2.0
// Workers that crash or hang on a request: the container that it reads is in quarantine for a while, a request about no
// container is refused the second time, and all others are answered. Workers that are killed from outside blame nobody.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { controlSocketName } from '../../src/config/paths.js';
import { BuildCopy } from '../_support/build-copy.js';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles } from '../_support/clients.js';
import { manyDeaths } from '../_support/deaths.js';
import { readEvents } from '../_support/http.js';
import { type Finished, RunningDaemon, run } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const hostTotal = (await readFile('/proc/meminfo', 'utf8')).split('\n')[0];
const ownTotal = / 65536 kB$/;
const readable = { code: 0, stdout: expect.stringMatching(/^Filename/) };

/** A container and a daemon whose code a test may change. */
class Scene implements AsyncDisposable {
  private constructor(
    readonly dir: TempDir,
    readonly cgroup: TestCgroup,
    readonly build: BuildCopy,
    readonly daemon: RunningDaemon,
    readonly view: string,
    /** What the container is shown in a file. */
    readonly show: (file: string) => Promise<Finished>,
  ) {}

  read = (): Promise<Finished> => this.show('proc/swaps');

  /** The first line of its meminfo: the container's own has its limit. */
  async total(): Promise<string | undefined> {
    return (await this.show('proc/meminfo')).stdout.split('\n')[0];
  }

  static async set(connection: 'shared' | 'pinned'): Promise<Scene> {
    const dir = await TempDir.create();
    const cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    let daemon: RunningDaemon | undefined;
    try {
      const build = await BuildCopy.create(dir);
      daemon = await RunningDaemon.start(manyDeaths, { dir, program: build.program });
      const view = await viewOf(daemon, cgroup.path);
      const files = connection === 'shared' ? daemon.tree : `${daemon.runDir}/mnt/pinned/${view}`;
      const show = (file: string) => run(...cgroup.contain('cat', join(files, file)));
      const scene = new Scene(dir, cgroup, build, daemon, view, show);
      expect(await scene.read()).toMatchObject(readable);
      expect(await scene.total()).toMatch(ownTotal);
      return scene;
    } catch (error) {
      await daemon?.[Symbol.asyncDispose]();
      await cgroup[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.cgroup[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** The cgroup is in quarantine after one death, and everything that reports on the daemon says so. */
async function expectQuarantine(daemon: RunningDaemon, cgroup: string): Promise<void> {
  const status = await statusOf(daemon);
  expect(status).toMatchObject({ workers: 2, layers: 2, refusals: 0 });
  expect(status.quarantine).toMatchObject([{ cgroup, deaths: 1 }]);
  const causes = status.fallbacks.map(({ file, cause }) => `${file} ${cause}`);
  expect(causes).toContain('proc/swaps quarantined');
  expect((await daemon.command('status')).stdout).toContain(`${cgroup} for`);
  expect((await daemon.command('views')).stdout).toMatch(/in quarantine for \d+ s more/);
  const metrics = (await daemon.command('metrics')).stdout;
  expect(metrics).toMatch(/^lensfs_journal_replays_total [1-9]\d*$/m);
  expect(metrics).toMatch(/^lensfs_views_quarantined 1$/m);
  const end = new AbortController();
  const events = readEvents(join(daemon.runDir, controlSocketName), end.signal);
  const told = [(await events.next()).value, (await events.next()).value];
  expect(told).toMatchObject([
    { name: 'worker-restarted', data: { workers: 2, refusals: 0 } },
    { name: 'view-quarantined', data: { cgroup, deaths: 1 } },
  ]);
  end.abort();
}

for (const connection of ['shared', 'pinned'] as const) {
  test(`a container that crashes a worker on the ${connection} connection crashes one, and is in quarantine for a while`, async () => {
    await using scene = await Scene.set(connection);
    const { cgroup, build, daemon, view, read } = scene;
    await using other = await TestCgroup.create({ memoryBytes: 32 * 2 ** 20 });
    await using clients = await Clients.start(clientFiles(daemon, view));
    const cure = await build.poison('RenderSwaps');
    expect(await read()).toMatchObject(readable);
    expect(await scene.total()).toBe(hostTotal);
    await daemon.logged('Serving again');
    const ends = daemon.log.filter(({ msg }) => msg === 'A worker has ended');
    expect(ends.map(({ signal }) => signal)).toEqual([11]);
    await expectQuarantine(daemon, cgroup.path);
    const meminfo = await run(...other.contain('head', '-n1', `${daemon.tree}/proc/meminfo`));
    expect(meminfo.stdout).toMatch(/ 32768 kB$/m);

    await cure();
    await waitUntil(
      'it has its own values again',
      async () => (await statusOf(daemon)).quarantine.length === 0,
      60_000,
    );
    expect(await read()).toMatchObject(readable);
    expect(await scene.total()).toMatch(ownTotal);
    await clients.finish(`a container that crashes workers on the ${connection} connection`);
    expect((await statusOf(daemon)).workers).toBe(2);
  }, 240_000);
}

test('a container that a worker hangs on is in quarantine for the next one', async () => {
  await using scene = await Scene.set('pinned');
  const { cgroup, build, daemon, read } = scene;
  const goOn = await build.halt('RenderSwaps');
  expect(await read()).toMatchObject(readable);
  expect(await scene.total()).toBe(hostTotal);
  await daemon.logged('A reader does not come back, replacing the worker');
  await daemon.logged('Serving again');
  await expectQuarantine(daemon, cgroup.path);
  await goOn();
}, 240_000);

test('a request about no container that has ended two workers is refused', async () => {
  await using scene = await Scene.set('pinned');
  const { build, daemon, read } = scene;
  const cure = await build.poison('LookupView');
  const refused = await run('stat', [`${daemon.runDir}/mnt/pinned/never-seen`]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/Input\/output error/);
  await daemon.logged('Serving again');
  expect(await statusOf(daemon)).toMatchObject({ workers: 3, refusals: 1, quarantine: [] });
  expect((await daemon.command('metrics')).stdout).toMatch(/^lensfs_journal_refusals_total 1$/m);
  await cure();
  expect(await read()).toMatchObject(readable);
}, 240_000);

/** How many threads of a worker have used the CPU for so long that they are in a halted function. */
async function spinning(worker: number): Promise<number> {
  const halted = 25; // of 10 ms
  const stats = await Promise.all((await threadsOf(worker)).map((path) => read(`${path}/stat`)));
  return stats.filter((stat) => {
    const [, comm = '', fields = ''] = /\((.*)\) (.*)/.exec(stat) ?? [];
    return comm.startsWith('lensfs-') && Number(fields.split(' ')[11]) >= halted;
  }).length;
}

/** Directories of its threads, and of its rings' tasks, which are processes of their own. */
async function threadsOf(worker: number): Promise<string[]> {
  const tids = await readdir(`/proc/${worker}/task`).catch(() => []);
  const threads = tids.map((tid) => `/proc/${worker}/task/${tid}`);
  const children = await Promise.all(threads.map((path) => read(`${path}/children`)));
  return [...threads, ...children.flatMap(words).map((pid) => `/proc/${pid}`)];
}

/** Nothing of a process that has ended. */
function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function words(text: string): string[] {
  return text.split(' ').filter(Boolean);
}

test('a request whose workers are killed three times is answered all the same', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await using dir = await TempDir.create();
  const build = await BuildCopy.create(dir);
  const options = { dir, program: build.program };
  await using daemon = await RunningDaemon.start(manyDeaths, options);
  const directory = `${daemon.runDir}/mnt/pinned/${await viewOf(daemon, cgroup.path)}`;
  const goOn = await build.halt('RenderSwaps');
  const reader = spawn('cat', [`${directory}/proc/swaps`]);
  const ended = once(reader, 'close');
  for (let count = 0; count < 3; ++count) {
    const worker = await daemon.workerPid();
    await waitUntil('a worker is at the request', async () => (await spinning(worker)) > 0);
    process.kill(worker, 'SIGKILL');
    await waitUntil('the next worker is there', async () => (await daemon.workerPid()) !== worker);
  }
  await goOn();
  expect(await ended).toEqual([0, null]);
  await daemon.logged('Serving again');
  expect(await statusOf(daemon)).toMatchObject({ workers: 4, refusals: 0 });
}, 240_000);
