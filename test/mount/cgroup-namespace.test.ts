// SPDX-License-Identifier: Apache-2.0
// A lensfs in a cgroup namespace of its own, as every container of Docker has on cgroup v2: containers' cgroups are then
// outside of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { isUnified } from '../_support/cgroup-levels.js';
import { cleanEnvironment, program, RunningDaemon, run } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { parseMemInfo } from '../_support/proc-text.js';
import { TempDir } from '../_support/temp-dir.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

/** Starts a command in `cgroup`, which is the root of its cgroup namespace. */
function isolated(cgroup: TestCgroup, ...command: string[]): string[] {
  const [first, rest] = cgroup.enter('unshare', '--cgroup', ...command);
  return [first, ...rest];
}

const memTotalMib = (meminfo: string) => (parseMemInfo(meminfo)['MemTotal'] ?? 0) / kibPerMebibyte;

async function readMemTotal(tree: string, cgroup: TestCgroup, ...inside: string[]) {
  const [first, rest] = cgroup.contain('unshare', ...inside, 'cat', `${tree}/proc/meminfo`);
  const { stdout, stderr } = await run(first, rest);
  expect(stderr).toBe('');
  return memTotalMib(stdout);
}

describe('a daemon in a cgroup namespace of its own', () => {
  test('gives containers their own values, and its next worker too', async () => {
    await using own = await TestCgroup.create();
    await using container = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    await using daemon = await RunningDaemon.start([], { prefix: isolated(own) });
    const expectValues = async () => {
      expect(await readMemTotal(daemon.tree, container)).toBe(64);
      expect(await readMemTotal(daemon.tree, container, '--cgroup')).toBe(64);
    };
    await expectValues();
    const before = await daemon.workerPid();
    process.kill(before, 'SIGKILL');
    await waitUntil('another worker serves', async () => {
      return (await statusOf(daemon).catch(() => undefined))?.workerPid !== before;
    });
    await expectValues();
    expect((await daemon.command('views')).stdout).toContain(container.path);
    expect((await statusOf(daemon)).fallbacks).toEqual([]);
  });

  test('goes on in a cgroup of its own when its container has ended', async () => {
    await using own = await TestCgroup.create();
    await using later = await TestCgroup.create();
    await using container = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    const flags = ['--outlive', '60', '--outlive-cgroup', later.path];
    await using daemon = await RunningDaemon.start(flags, { prefix: isolated(own) });
    const { pid } = await statusOf(daemon);
    const cgroups = (await run('cat', [`/proc/${pid}/cgroup`])).stdout;
    expect(cgroups).toContain(`:memory:${later.path}\n`.replace(isUnified ? 'memory' : '', ''));
    expect(await readMemTotal(daemon.tree, container)).toBe(64);
  });
});

describe('commands in a cgroup namespace of their own', () => {
  test('show what a container sees', async () => {
    await using own = await TestCgroup.create();
    await using container = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    const [first, rest] = container.enter('sh', '-c', 'echo here; exec sleep 1000000');
    const sleeper = spawn(first, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (sleeper.stdout === null) throw new Error('no pipe');
    await once(sleeper.stdout, 'data');
    const show = [program, 'show', '/proc/meminfo', '--pid', `${sleeper.pid}`];
    const [command = '', ...args] = isolated(own, ...show);
    const { stdout, stderr } = await run(command, args);
    expect(stderr).toBe('');
    expect(memTotalMib(stdout)).toBe(64);
  });
});

describe('a daemon that cannot find containers’ cgroups', () => {
  async function refused(...prefix: string[]): Promise<string> {
    await using dir = await TempDir.create();
    const serve = [program, 'serve', '--tree', dir.at('tree'), '--run-dir', dir.at('run')];
    const [first = '', ...rest] = [...prefix, ...serve];
    const { code, stderr } = await run(first, rest, { env: cleanEnvironment() });
    expect(code).toBe(1);
    return stderr;
  }

  test('says so where only its own cgroup is mounted', async () => {
    await using own = await TestCgroup.create();
    const hierarchy = isUnified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
    const mount = `mount --bind ${hierarchy}${own.path} ${hierarchy}`;
    const inside = ['--mount', 'sh', '-c', `${mount} && exec "$@"`, 'sh'];
    const stderr = await refused(...isolated(own, ...inside));
    expect(stderr).toContain(`lensfs: Only the cgroup "${own.path}" is mounted at "${hierarchy}"`);
    expect(stderr).toContain('mount the host\'s "/sys/fs/cgroup" there\n');
  });

  test('says so where it may not leave its namespace', async () => {
    await using own = await TestCgroup.create();
    const stderr = await refused(...isolated(own, 'setpriv', '--bounding-set=-sys_admin'));
    expect(stderr).toContain('lensfs: Cannot leave a cgroup namespace of its own (EPERM): start');
  });
});
