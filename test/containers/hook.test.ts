// SPDX-License-Identifier: Apache-2.0
// lensfs-hook in containers of runc and crun, added by hand and by lensfs-runtime.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type BundleOptions,
  Bundles,
  isHybrid,
  type Runtime,
  runtimes,
} from '../_support/bundles.js';
import { hookProgram, runHook, runtimeProgram } from '../_support/hook.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { built, command, testWith } from '../_support/requirements.js';
import { allFiles, parseSeen, printSeen, type Seen } from '../_support/seen.js';

const requirements = [
  ...mountRequirements,
  ...runtimes.map(command),
  built(hookProgram),
  built(runtimeProgram),
];
const test = testWith(...requirements);
const getDaemon = useDaemon();

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

type Places = Pick<RunningDaemon, 'tree' | 'runDir'>;

function hookArgs({ tree, runDir }: Places): string[] {
  return ['--tree', tree, '--run-dir', runDir];
}

function wrapper(runtime: Runtime, { tree, runDir }: Places): string[] {
  const dirs = [`--lensfs-tree=${tree}`, `--lensfs-run-dir=${runDir}`];
  return [runtimeProgram, `--lensfs-runtime=${runtime}`, ...dirs];
}

/** What a container of 128 MiB and one CPU sees, with the hook by lensfs-runtime. */
async function seenBy(
  runtime: Runtime,
  options: Partial<BundleOptions> = {},
  places: Places = getDaemon(),
): Promise<Seen> {
  const limits = { command: printSeen, memoryBytes: 128 * 2 ** 20, cpus: 1 };
  const program = wrapper(runtime, places);
  return parseSeen(await bundles.output(runtime, { ...limits, ...options }, program));
}

function expectOwn(seen: Seen): void {
  expect(seen).toMatchObject({ memTotalMib: 128, processors: 1 });
  expect(seen.online).toMatch(/^\d+$/);
  expect(seen.uptimeSec).toBeLessThan(30);
  expect(seen.pressure).toMatch(/^some avg10=/);
  expect(seen.mounts).toEqual(allFiles);
  const [options] = seen.options;
  expect(seen.options).toHaveLength(1);
  expect(options).toMatch(/^ro,nosuid,nodev,noexec/);
}

const kinds: [string, Partial<BundleOptions>][] = [
  ['', {}],
  ['in a cgroup namespace', { cgroupNamespace: true }],
  ['in a user namespace', { userNamespace: true }],
  ['in user and cgroup namespaces', { userNamespace: true, cgroupNamespace: true }],
];

for (const runtime of runtimes) {
  describe(runtime, () => {
    for (const [kind, options] of kinds) {
      test(`shows a container ${kind} its own values`, async () => {
        expectOwn(await seenBy(runtime, options));
      });

      test(`shows a container ${kind} its own values by a hook createContainer`, async () => {
        const args = ['lensfs-hook', 'create-container', ...hookArgs(getDaemon())];
        const hooks = { createContainer: [{ path: hookProgram, args }] };
        const limits = { command: printSeen, memoryBytes: 128 * 2 ** 20, cpus: 1 };
        expectOwn(parseSeen(await bundles.output(runtime, { ...limits, ...options, hooks })));
      });
    }

    // crun gets no cgroup of its own in the v2 part of a hybrid hierarchy (see bundles.ts).
    if (runtime === 'runc' || !isHybrid()) {
      test('shows a container its own pressure', async () => {
        const { cpuStallUsec, uptimeSec } = await seenBy(runtime);
        const host = await readFile('/proc/pressure/cpu', 'utf8');
        const hostUsec = Number(/^some .* total=(\d+)$/m.exec(host)?.[1]);
        const ageUsec = (uptimeSec + 1) * 1e6;
        expect(cpuStallUsec).toBeLessThan(ageUsec);
        expect(hostUsec).toBeGreaterThan(ageUsec);
      });
    }

    test('takes files from the page cache where they are', async () => {
      const mountinfo = ['/bin/grep', 'fuse.lensfs', '/proc/self/mountinfo'];
      const program = wrapper(runtime, getDaemon());
      const text = await bundles.output(
        runtime,
        { command: mountinfo, userNamespace: true },
        program,
      );
      const rootOf = (path: string) => {
        return text
          .split('\n')
          .map((line) => line.split(' '))
          .find((words) => words[4] === path)?.[3];
      };
      expect(rootOf('/proc/meminfo')).toMatch(/^\/=\w+=\d+\/proc\/meminfo$/);
      expect(rootOf('/proc/cpuinfo')).toMatch(/^(\/proc)?\/cpuinfo$/);
    });

    test('binds what the container chooses', async () => {
      const none = async (options: Partial<BundleOptions>) =>
        (await seenBy(runtime, options)).mounts;
      const memory = allFiles.filter((path) => /meminfo|memory|slabinfo|swaps|vmstat/.test(path));
      expect(await none({ env: ['LENSFS=off'] })).toEqual([]);
      expect(await none({ env: ['LENSFS=cpu', 'LENSFS=memory'] })).toEqual(memory);
      expect(await none({ annotations: { 'lensfs.io/view': 'off' } })).toEqual([]);
      const both = { annotations: { 'lensfs.io/view': 'uptime, /proc/stat' }, env: ['LENSFS=off'] };
      expect(await none(both)).toEqual(['/proc/stat', '/proc/uptime']);
    });

    test('leaves what is mounted already, and containers that show the host’s processes', async () => {
      const mine = bundles.dir.at('mine');
      await writeFile(mine, 'MemTotal: 1 kB\n');
      const mounts = [
        { destination: '/proc/meminfo', type: 'bind', source: mine, options: ['bind'] },
      ];
      const seen = await seenBy(runtime, { mounts });
      expect(seen.mounts).toEqual(allFiles.filter((path) => path !== '/proc/meminfo'));
      expect(seen.memTotalMib).toBeCloseTo(1 / 1024);
      expect((await seenBy(runtime, { hostProc: true })).mounts).toEqual([]);
      expect((await seenBy(runtime, { pidNamespace: false })).mounts).toEqual([]);
    });

    test('starts containers without a daemon, a tree or a bundle that can be read', async () => {
      const nowhere = { tree: bundles.dir.at('no-tree'), runDir: bundles.dir.at('no-run') };
      const seen = await seenBy(runtime, {}, nowhere);
      expect(seen.mounts).toEqual([]);
      expect(seen.memTotalMib).toBeGreaterThan(128);
    });
  });
}

/** What is mounted over the host's own files. */
async function hostMounts(): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.filter((line) => /^\/(proc|sys)\//.test(line.split(' ')[4] ?? ''));
}

describe('lensfs-hook', () => {
  const states = [
    '',
    '{',
    '[]',
    '{}',
    '{"bundle":"/nowhere","pid":1}',
    '{"bundle":3}',
    '\u0000'.repeat(3e6),
  ];

  test('never fails, and says in one line what is wrong', async () => {
    for (const state of states) {
      const { code, stderr } = await runHook(['create-runtime'], state);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^lensfs-hook: cannot [^\n]+\n$/);
      expect((await runHook(['create-runtime', '--strict'], state)).code).toBe(1);
    }
    for (const args of [
      [],
      ['prestart'],
      ['create-runtime', '--what'],
      ['create-runtime', 'x', 'y'],
    ]) {
      const { code, stderr } = await runHook(args, '{}');
      expect([code, stderr]).toEqual([0, expect.stringMatching(/^lensfs-hook: [^\n]+\n$/)]);
    }
  });

  test('leaves the host’s own mounts alone', async () => {
    const bundle = await bundles.make({ command: ['/bin/sh'] });
    const state = { id: 'x', pid: process.pid, bundle: bundle.path };
    const before = await readFile('/proc/self/mountinfo', 'utf8');
    const args = ['create-runtime', ...hookArgs(getDaemon())];
    const { code, stderr } = await runHook(args, JSON.stringify(state));
    expect([code, stderr]).toEqual([0, expect.stringContaining("the host's own mounts")]);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).toBe(before);
  });

  test('refuses a pid that is none, and never takes it for a container that it is in', async () => {
    const bundle = await bundles.make({ command: ['/bin/sh'] });
    const before = await hostMounts();
    const pids = [
      '-1',
      '"1"',
      '1e9',
      '0',
      '1.5',
      'null',
      '4294967297',
      '4194305',
      '18446744073709551617',
    ];
    for (const pid of pids) {
      const state = `{"id":"x","pid":${pid},"bundle":${JSON.stringify(bundle.path)}}`;
      const { code, stderr } = await runHook(['create-runtime', ...hookArgs(getDaemon())], state);
      expect([code, stderr]).toEqual([
        0,
        expect.stringContaining("cannot use the container's pid"),
      ]);
    }
    const none = JSON.stringify({ id: 'x', bundle: bundle.path });
    const { stderr } = await runHook(['create-runtime', ...hookArgs(getDaemon())], none);
    expect(stderr).toContain("cannot use the container's pid");
    expect(await hostMounts()).toEqual(before);
  });

  test('prints no order to a terminal and no second line, whatever a container calls itself', async () => {
    const name = '\u001b]0;pwn\u0007\nforged\u0085\u009b31m\u2028\u202egnp\u007f';
    const annotations = { 'lensfs.io/view': name };
    const bundle = await bundles.make({ command: ['/bin/sh'], annotations });
    const log = bundles.dir.at('hostile.log');
    const state = JSON.stringify({ id: name, pid: process.pid, bundle: bundle.path });
    const args = ['create-runtime', ...hookArgs(getDaemon())];
    const escaped = '\\x1b]0;pwn\\x07\\x0aforged\\x85\\x9b31m\\u2028\\u202egnp\\x7f';
    const { stderr } = await runHook(args, state);
    expect(stderr).toContain(`container ${escaped}: cannot`);
    for (const format of ['text', 'json']) {
      await runHook([...args, '--log', log, '--log-format', format], state);
    }
    for (const text of [stderr, await readFile(log, 'utf8')]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e]/);
    }
    const [, json = ''] = (await readFile(log, 'utf8')).trimEnd().split('\n');
    expect((JSON.parse(json) as { msg: string }).msg).toContain(escaped);
  });

  test('says in the log that no daemon serves the files', async () => {
    const log = bundles.dir.at('log.json');
    const program = [...wrapper('runc', { tree: '/nowhere', runDir: '/nowhere' }), '--log', log];
    const options = { command: ['/bin/sh', '-c', ':'] };
    await bundles.output('runc', options, [...program, '--log-format=json']);
    const line = (await readFile(log, 'utf8')).trimEnd();
    expect(JSON.parse(line)).toMatchObject({
      level: 'warning',
      msg: expect.stringMatching(
        /^lensfs-hook: container .* keeps the host's values: No such file/,
      ),
    });
  });
});
