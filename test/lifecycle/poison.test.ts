// SPDX-License-Identifier: Apache-2.0
// A request that ends every worker that looks at it: it is refused, and all others are answered. One whose workers
// somebody kills is not to blame.
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

for (const connection of ['shared', 'pinned'] as const) {
  test(`a request on the ${connection} connection that has ended two workers is refused`, async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    await using dir = await TempDir.create();
    const build = await BuildCopy.create(dir);
    const options = { dir, program: build.program };
    await using daemon = await RunningDaemon.start(manyDeaths, options);
    const view = await viewOf(daemon, cgroup.path);
    const directory = connection === 'shared' ? daemon.tree : `${daemon.runDir}/mnt/pinned/${view}`;
    const read = (): Promise<Finished> =>
      run(...cgroup.contain('cat', join(directory, 'proc/swaps')));
    expect(await read()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Filename/) });
    await using clients = await Clients.start(clientFiles(daemon, view));

    const cure = await build.poison('RenderSwaps');
    const refused = await read();
    expect([refused.code, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toMatch(/Input\/output error/);
    await daemon.logged('Serving again');
    const ends = daemon.log.filter(({ msg }) => msg === 'A worker has ended');
    expect(ends.map(({ signal }) => signal)).toEqual([11, 11]);
    const status = await statusOf(daemon);
    expect(status).toMatchObject({ workers: 3, layers: 2, refusals: 1 });
    expect(status.replays).toBeGreaterThanOrEqual(1);
    const metrics = (await daemon.command('metrics')).stdout;
    expect(metrics).toMatch(/^lensfs_journal_replays_total [1-9]\d*$/m);
    expect(metrics).toMatch(/^lensfs_journal_refusals_total 1$/m);
    const end = new AbortController();
    const events = readEvents(join(daemon.runDir, controlSocketName), end.signal);
    expect((await events.next()).value).toMatchObject({
      name: 'worker-restarted',
      data: { workers: 3, refusals: 1 },
    });
    end.abort();

    await cure();
    expect(await read()).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Filename/) });
    await clients.finish(`a poison request on the ${connection} connection`);
    expect((await statusOf(daemon)).workers).toBe(3);
  }, 240_000);
}

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
