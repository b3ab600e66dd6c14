// SPDX-License-Identifier: Apache-2.0
// Every kind of event of a real daemon, as a client of /v1/events gets it.
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { readEvents } from '../_support/http.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { rootsOf, mountTest as test } from '../_support/mounted.js';
import { patience } from '../_support/patience.js';
import { buildTree } from '../_support/tree.js';
import { mebibyte } from '../_support/units.js';

const timeoutMs = 120_000 * patience;
const soon = { timeout: 60_000 * patience, interval: 20 };

interface Event {
  name: string;
  data: Record<string, unknown>;
}

/** One client, and all it was told. */
class Listener implements Disposable {
  readonly #end = new AbortController();
  readonly events: Event[] = [];

  constructor({ runDir }: RunningDaemon) {
    void this.#collect(`${runDir}/control.sock`);
  }

  /** What is told of a kind, for a cgroup when one is given. */
  told(name: string, cgroup?: string): Record<string, unknown>[] {
    const ofName = this.events.filter((event) => event.name === name).map(({ data }) => data);
    return cgroup === undefined ? ofName : ofName.filter((data) => data['cgroup'] === cgroup);
  }

  [Symbol.dispose](): void {
    this.#end.abort();
  }

  async #collect(socketPath: string): Promise<void> {
    try {
      for await (const event of readEvents(socketPath, this.#end.signal)) this.events.push(event);
    } catch (error) {
      if (!this.#end.signal.aborted) throw error;
    }
  }
}

/** Load averages: a view that has them is looked after all the time. */
async function readLoadIn(cgroup: TestCgroup, { tree }: RunningDaemon): Promise<void> {
  const finished = await run(...cgroup.contain('cat', `${tree}/proc/loadavg`));
  expect(finished).toMatchObject({ code: 0 });
}

test(
  'views that come, change their limits and go are told of',
  async () => {
    await using daemon = await RunningDaemon.start();
    await using first = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    await readLoadIn(first, daemon);
    using listener = new Listener(daemon);
    // From the first look on, which nobody tells of.
    let mib = 64;
    await expect
      .poll(async () => {
        mib += 1;
        await first.limit({ memoryBytes: mib * mebibyte });
        return listener.told('limit-changed', first.path).length;
      }, soon)
      .toBeGreaterThan(0);
    expect(listener.told('view-added', first.path)).toEqual([]);

    const second = await TestCgroup.create({ memoryBytes: 32 * mebibyte });
    await using _second = second;
    await readLoadIn(second, daemon);
    await expect.poll(() => listener.told('view-added', second.path), soon).toHaveLength(1);
    await second.limit({ memoryBytes: 48 * mebibyte, cpus: 0.5 });
    const changes = () =>
      Object.assign({}, ...listener.told('limit-changed', second.path)) as Record<string, unknown>;
    await expect.poll(() => Object.keys(changes()), soon).toContain('cpuQuota');
    expect(changes()).toMatchObject({
      memoryLimitBytes: { before: 32 * mebibyte, after: 48 * mebibyte },
      cpuQuota: { before: null, after: 0.5 },
    });
    await second.remove();
    await expect.poll(() => listener.told('view-removed', second.path), soon).toHaveLength(1);
    expect(listener.told('view-removed', first.path)).toEqual([]);
  },
  timeoutMs,
);

test(
  'fallbacks are told of, with cause, files and error, and logged once for each cause',
  async () => {
    await using wrong = await TestCgroup.create();
    await using unreadable = await TestCgroup.create();
    const files = { 'cgroup.procs': '', 'memory.max': 'max\n', 'memory.stat': 'anon 4096\n' };
    await using tree = await buildTree({
      'cgroup/cgroup.controllers': 'cpu memory\n',
      [`cgroup${wrong.path}`]: { ...files, 'memory.current': 'many\n' },
      [`cgroup${unreadable.path}`]: { ...files, 'memory.current': { is: 'a directory\n' } },
    });
    const roots = rootsOf({ proc: '/proc', sys: '/sys', cgroup: tree.cgroup });
    await using daemon = await RunningDaemon.start([...roots, '--set', 'freshness=0']);
    using listener = new Listener(daemon);
    await expect
      .poll(async () => {
        expect(await daemon.command('reload')).toMatchObject({ code: 0 });
        return listener.told('config-changed').length;
      }, soon)
      .toBeGreaterThan(0);
    const readIn = async (cgroup: TestCgroup) =>
      await run(...cgroup.enter('cat', `${daemon.tree}/proc/meminfo`));
    const count = async () => {
      const { fallbacks } = JSON.parse((await daemon.command('status', '--json')).stdout);
      return fallbacks.find(({ cause }: { cause: string }) => cause === 'unparsable')?.count ?? 0;
    };
    await readIn(wrong);
    await expect.poll(() => listener.told('fallback'), soon).toHaveLength(1);
    const [told] = listener.told('fallback');
    expect(told).toMatchObject({
      cause: 'unparsable',
      files: ['proc/meminfo'],
      lastError: expect.stringMatching(/^EINVAL: /),
    });
    const counted = await count();
    for (let more = 0; more < 20; more += 1) await readIn(wrong);
    expect(await count()).toBeGreaterThanOrEqual(counted + 20);

    // Another cause is a line of its own; until then the first has had its time to say it again.
    await readIn(unreadable);
    await expect.poll(() => listener.told('fallback').at(-1)?.['cause'], soon).toBe('unreadable');
    const lines = daemon.log.filter(({ msg }) => msg === 'Readers did not get their own values');
    expect(lines.map(({ cause }) => cause)).toEqual(['unparsable', 'unreadable']);
    expect(lines[0]).toMatchObject({ ...told, level: 'warn' });
  },
  timeoutMs,
);

test(
  'a new worker is told of, also to those who come back to it only then',
  async () => {
    await using daemon = await RunningDaemon.start();
    process.kill(await daemon.workerPid(), 'SIGKILL');
    await daemon.logged('Serving again');
    using listener = new Listener(daemon);
    await expect.poll(() => listener.told('worker-restarted'), soon).toHaveLength(1);
    expect(listener.told('worker-restarted')).toEqual([
      expect.objectContaining({ workers: 2, worker: await daemon.workerPid() }),
    ]);
  },
  timeoutMs,
);
