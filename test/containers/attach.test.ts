// SPDX-License-Identifier: Apache-2.0
// lensfs attach, detach, repair and doctor, with containers of runc that started without a view.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type BundleOptions, Bundles, type RunningBundle } from '../_support/bundles.js';
import { runtimeProgram } from '../_support/hook.js';
import { type Finished, lensfs, program, RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { allFiles, parseSeen, printSeen, type Seen } from '../_support/seen.js';

const test = testWith(...mountRequirements, command('runc'));

/** Each command starts Node.js, which takes seconds on a busy machine. */
const manyCommandsMs = 240_000;

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

const idle: BundleOptions = {
  command: ['/bin/sleep', '1000000'],
  memoryBytes: 128 * 2 ** 20,
  cpus: 1,
};

async function seenIn(container: RunningBundle): Promise<Seen> {
  return parseSeen(await container.output(...printSeen));
}

function call(daemon: RunningDaemon, name: string, ...args: string[]): Promise<Finished> {
  return lensfs([name, ...args, '--tree', daemon.tree, '--run-dir', daemon.runDir]);
}

/** What is mounted over the host's own files. */
async function hostMounts(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => /^\/(proc|sys)\//.test(line.split(' ')[4] ?? ''));
}

function expectOwn(seen: Seen): void {
  expect(seen).toMatchObject({ memTotalMib: 128, processors: 1, mounts: allFiles });
}

describe('lensfs attach and detach', () => {
  for (const userNamespace of [false, true]) {
    test(`give and take the files of a container ${userNamespace ? 'in a user namespace' : ''}`, async () => {
      await using daemon = await RunningDaemon.start();
      await using container = await bundles.start({ ...idle, userNamespace });
      expect((await seenIn(container)).mounts).toEqual([]);

      const attached = await call(daemon, 'attach', container.id);
      expect([attached.code, attached.stdout]).toEqual([
        0,
        expect.stringContaining('16 files attached'),
      ]);
      expectOwn(await seenIn(container));
      const again = await call(daemon, 'attach', String(container.pid), '--json');
      expect(JSON.parse(again.stdout)).toMatchObject({ done: [], left: [], pid: container.pid });

      const some = await lensfs(['detach', container.id, '--files', 'memory,pressure']);
      expect(some.code).toBe(0);
      const rest = allFiles.filter((path) => !/meminfo|pressure|slabinfo|swaps|vmstat/.test(path));
      expect((await seenIn(container)).mounts).toEqual(rest);
      expect((await lensfs(['detach', container.id])).code).toBe(0);
      const seen = await seenIn(container);
      expect(seen.mounts).toEqual([]);
      expect(seen.memTotalMib).toBeGreaterThan(128);
    });
  }

  test('refuse the host, processes that have ended, and containers that show the host’s processes', async () => {
    await using daemon = await RunningDaemon.start();
    await using container = await bundles.start({ ...idle, pidNamespace: false });
    const before = await hostMounts();
    const refused: [string, string][] = [
      [String(process.pid), "has the host's own mounts"],
      ['4194304', 'has ended'],
      [String(container.pid), "shows the host's processes"],
    ];
    for (const [pid, reason] of refused) {
      const { code, stdout } = await call(daemon, 'attach', pid);
      expect([code, stdout]).toEqual([1, expect.stringContaining(reason)]);
    }
    const { code, stderr } = await call(daemon, 'attach', 'lensfs-no-such-name');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('No container "lensfs-no-such-name"'),
    ]);
    expect(await hostMounts()).toEqual(before);
    expect((await call(daemon, 'attach')).code).toBe(2);
    expect((await call(daemon, 'attach', '1', '--all')).code).toBe(2);
  });
});

describe('lensfs repair', () => {
  test(
    'renews what a killed daemon has left, however it came there',
    async () => {
      const dead = await RunningDaemon.start();
      await using _dead = dead;
      const places = [`--lensfs-tree=${dead.tree}`, `--lensfs-run-dir=${dead.runDir}`];
      await using byHook = await bundles.start(idle, [runtimeProgram, ...places]);
      await using byAttach = await bundles.start({ ...idle, userNamespace: true });
      expect((await call(dead, 'attach', byAttach.id)).code).toBe(0);
      const binds = ['meminfo', 'cpuinfo', 'uptime'].map((name) => ({
        destination: `/proc/${name}`,
        type: 'bind',
        source: `${dead.tree}/proc/${name}`,
        options: ['bind', 'ro'],
      }));
      await using byFlags = await bundles.start({ ...idle, mounts: binds });
      expect((await seenIn(byFlags)).memTotalMib).toBe(128);

      await dead.killAll();
      await using daemon = await RunningDaemon.start([], { dir: dead.dir });
      const containers = [byHook, byAttach, byFlags];
      for (const container of containers) {
        const { code, stdout } = await call(daemon, 'repair', container.id);
        expect([code, stdout]).toEqual([0, expect.stringContaining('renewed')]);
        expect((await seenIn(container)).memTotalMib).toBe(128);
        const again = await call(daemon, 'repair', container.id, '--json');
        expect(JSON.parse(again.stdout)).toMatchObject({ done: [], left: [] });
      }
      expectOwn(await seenIn(byHook));
      expectOwn(await seenIn(byAttach));
    },
    manyCommandsMs,
  );
});

describe('lensfs attach --all --follow', () => {
  test('attaches containers as they start, but those that say LENSFS=off', async () => {
    await using daemon = await RunningDaemon.start();
    const args = [
      'attach',
      '--all',
      '--follow',
      '--json',
      '--tree',
      daemon.tree,
      '--run-dir',
      daemon.runDir,
    ];
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const attached = new Map<number, { done: string[] }>();
    createInterface(child.stdout).on('line', (line) => {
      const outcome = JSON.parse(line) as { pid: number; done: string[] };
      attached.set(outcome.pid, outcome);
    });
    try {
      await using off = await bundles.start({ ...idle, env: ['LENSFS=off'] });
      await using container = await bundles.start(idle);
      await expect.poll(() => attached.get(container.pid)?.done.length).toBe(allFiles.length);
      expectOwn(await seenIn(container));
      expect(attached.has(off.pid)).toBe(false);
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  });
});

describe('lensfs doctor', () => {
  test('says which containers have the view, and fails without a daemon', async () => {
    await using daemon = await RunningDaemon.start();
    await using container = await bundles.start(idle);
    const find = async () => {
      const { stdout } = await call(daemon, 'doctor', '--json');
      const findings = JSON.parse(stdout) as {
        level: string;
        subject: string;
        text: string;
        fix?: string;
      }[];
      return (subject: string) => findings.find((finding) => finding.subject.includes(subject));
    };
    const first = await find();
    expect(first(container.id)).toMatchObject({
      level: 'warn',
      fix: `lensfs attach ${container.pid}`,
    });
    for (const subject of ['kernel', 'fuse', 'cgroups', 'daemon', 'tree', 'runc']) {
      expect(first(subject)).toMatchObject({ level: 'ok' });
    }
    await call(daemon, 'attach', container.id);
    expect((await find())(container.id)).toMatchObject({ level: 'ok' });
    expect((await call(daemon, 'doctor')).code).toBe(0);
    await daemon.killAll();
    const { code, stdout } = await call(daemon, 'doctor');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}daemon: nobody answers/m);
    expect(stdout).toContain(`fix: lensfs repair ${container.pid}`);
  });
});
