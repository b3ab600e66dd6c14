// SPDX-License-Identifier: Apache-2.0
// The real daemon: real mounts, real signals, real sockets.
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect } from 'vitest';
import { codeOf } from '../../src/errors.js';
import { expectDaemonMounts } from '../_support/expect-mounts.js';
import { cleanEnvironment, lensfs, program, RunningDaemon, run } from '../_support/lensfs.js';
import { mountsIn } from '../_support/mounts.js';
import { built, command, fuseDevice, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

const addon = built('build/Release/addon.node');
const test = testWith(built(program), addon, root, fuseDevice);

/** What a start after this one needs: whose files to give back, which mounts were ours, and how to start. */
const remembered = ['devices', 'last-good.json', 'withdrawn'];

describe('lensfs serve', () => {
  test('mounts the tree, says so, and answers reads', async () => {
    await using daemon = await RunningDaemon.start();
    expect(await daemon.logged('Serving')).toMatchObject({ level: 'info', tree: daemon.tree });
    await expectDaemonMounts(daemon);
    expect((await readdir(`${daemon.tree}/proc`)).sort()).toEqual(
      expect.arrayContaining(['cpuinfo', 'loadavg', 'meminfo', 'stat', 'uptime']),
    );
    expect(await readFile(`${daemon.tree}/proc/meminfo`, 'utf8')).toMatch(/^MemTotal: +\d+ kB\n/);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`stops cleanly on ${signal}`, async () => {
      await using daemon = await RunningDaemon.start();
      daemon.child.kill(signal);
      expect(await daemon.exited).toEqual({ code: 0, signal: null });
      expect(await mountsIn(daemon.dir.path)).toEqual([]);
      expect(await readdir(daemon.runDir)).toEqual(remembered);
      expect(daemon.log.map(({ msg }) => msg)).toEqual(['Serving', 'Stopping', 'Stopped']);
      expect(daemon.otherLines).toEqual([]);
    });
  }

  test('takes a second signal calmly', async () => {
    await using daemon = await RunningDaemon.start();
    daemon.child.kill('SIGTERM');
    daemon.child.kill('SIGINT');
    daemon.child.kill('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(await mountsIn(daemon.dir.path)).toEqual([]);
  });

  test('serves side by side with another', async () => {
    await using first = await RunningDaemon.start();
    await using second = await RunningDaemon.start();
    for (const { tree } of [first, second]) {
      expect(await readFile(`${tree}/proc/uptime`, 'utf8')).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
    }
    expect((await first.command('stop')).code).toBe(0);
    expect(await readFile(`${second.tree}/proc/uptime`, 'utf8')).toMatch(/^\d/);
  });

  test('takes over the directories of a daemon that was killed with its worker', async () => {
    await using dir = await TempDir.create();
    await using killed = await RunningDaemon.start([], { dir });
    const worker = await killed.workerPid();
    killed.child.kill('SIGKILL');
    process.kill(worker, 'SIGKILL');
    await killed.exited;
    await waitUntil('the connection is gone', () =>
      readFile(`${killed.tree}/proc/stat`).then(
        () => false,
        (error) => codeOf(error) === 'ENOTCONN',
      ),
    );
    expect(existsSync(`${killed.runDir}/control.sock`)).toBe(true);

    await using daemon = await RunningDaemon.start([], { dir });
    await expectDaemonMounts(daemon);
    expect((await daemon.command('status')).code).toBe(0);
    expect((await daemon.command('stop')).code).toBe(0);
    expect(await mountsIn(daemon.dir.path)).toEqual([]);
  });
});

describe('lensfs serve, when it cannot', () => {
  /** Runs it with a tree and run directory in `dir`; afterwards nothing may be mounted there. */
  async function refused(dir: TempDir, args: string[] = [], prefix: string[] = []) {
    const paths = ['--tree', dir.at('tree'), '--run-dir', dir.at('run')];
    const [first = program, ...rest] = [...prefix, program, 'serve', ...paths, ...args];
    const before = await mountsIn(dir.path);
    const { code, stdout, stderr } = await run(first, rest, { env: cleanEnvironment() });
    expect(await mountsIn(dir.path)).toEqual(before);
    expect([code, stdout]).toEqual([1, '']);
    const lines = stderr.split('\n').filter((line) => !line.startsWith('{'));
    expect(lines).toEqual([expect.stringMatching(/^lensfs: /), '']);
    return lines[0];
  }

  test('asks for root', async () => {
    await using dir = await TempDir.create();
    // Another user who may still read the checkout, wherever it lies.
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const line = await refused(dir, [], [...nobody, ...mayRead]);
    expect(line).toBe('lensfs: Not root, and mounting needs it: sudo lensfs serve');
    expect(await readdir(dir.path)).toEqual([]);
  });

  test('says how to get /dev/fuse', async () => {
    await using dir = await TempDir.create();
    const hide = 'mount -t tmpfs none /dev && exec "$@"';
    const line = await refused(dir, [], ['unshare', '--mount', 'sh', '-c', hide, 'sh']);
    expect(line).toMatch(/^lensfs: Cannot open \/dev\/fuse \(ENOENT\): run "modprobe fuse"/);
    expect(await readdir(dir.at('run'))).toEqual([]);
  });

  test('says how to get cgroups', async () => {
    await using dir = await TempDir.create();
    await mkdir(dir.at('empty'));
    const line = await refused(dir, ['--set', `roots.cgroup=${dir.at('empty')}`]);
    expect(line).toMatch(/^lensfs: No cgroups in ".*\/empty": mount them/);
  });

  test('leaves a tree alone that another lensfs serves', async () => {
    await using daemon = await RunningDaemon.start();
    const line = await refused(daemon.dir, ['--run-dir', daemon.dir.at('other')]);
    expect(line).toContain(`Something is mounted on "${daemon.tree}": run "lensfs stop"`);
    expect(await readFile(`${daemon.tree}/proc/uptime`, 'utf8')).toMatch(/^\d/);
  });

  test('leaves a tree alone that is not empty', async () => {
    await using dir = await TempDir.create();
    await mkdir(dir.at('tree'));
    await writeFile(dir.at('tree/precious'), '');
    const line = await refused(dir);
    expect(line).toBe(
      `lensfs: "${dir.at('tree')}" is not empty: empty it, or choose another --tree`,
    );
    expect(await readdir(dir.at('tree'))).toEqual(['precious']);
  });

  test('serves over the empty places of its files, which a container engine has made', async () => {
    await using dir = await TempDir.create();
    for (const place of ['proc/meminfo', 'proc/pressure/cpu', 'sys/devices/system/cpu'])
      await mkdir(dir.at('tree', place), { recursive: true });
    await writeFile(dir.at('tree/proc/stat'), '');
    await using daemon = await RunningDaemon.start([], { dir });
    expect(await readFile(`${daemon.tree}/proc/meminfo`, 'utf8')).toMatch(/^MemTotal: /);
    expect(await readFile(`${daemon.tree}/proc/stat`, 'utf8')).toMatch(/^cpu /);
  });

  for (const [what, path, text] of [
    ['a file with text', 'proc/meminfo', 'x'],
    ['a name that no file has', 'proc/precious', ''],
    ['a name within a directory of ours', 'sys/devices/system/cpu/precious', ''],
  ] as const) {
    test(`leaves a tree alone that has ${what}`, async () => {
      await using dir = await TempDir.create();
      await mkdir(dirname(dir.at('tree', path)), { recursive: true });
      await writeFile(dir.at('tree', path), text);
      expect(await refused(dir)).toContain('/tree" is not empty: empty it');
      expect(await readFile(dir.at('tree', path), 'utf8')).toBe(text);
    });
  }

  test('refuses a tree that is a file', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('tree'), '');
    expect(await refused(dir)).toMatch(
      /^lensfs: Cannot use ".*\/tree": .*; choose another --tree$/,
    );
  });

  test('leaves a run directory alone that another lensfs uses', async () => {
    await using daemon = await RunningDaemon.start();
    const line = await refused(daemon.dir, ['--tree', daemon.dir.at('other')]);
    expect(line).toBe(
      `lensfs: A running lensfs uses "${daemon.runDir}": stop it with "lensfs stop --run-dir ${daemon.runDir}" or choose another --run-dir`,
    );
    expect((await daemon.command('status')).code).toBe(0);
  });

  test('refuses a run directory that cannot be made', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('run'), '');
    expect(await refused(dir)).toMatch(/^lensfs: Cannot listen on .*; choose another --run-dir$/);
  });
});

describe('reloading', () => {
  async function startWithFile(text: string, args: string[] = []) {
    const dir = await TempDir.create();
    const file = dir.at('config.yaml');
    await writeFile(file, text);
    const daemon = await RunningDaemon.start(['--config', file, ...args], { dir });
    return { daemon, file };
  }

  test('applies what may change live and names what may not, on SIGHUP', async () => {
    const { daemon, file } = await startWithFile('swap: on\n');
    await using _daemon = daemon;
    await writeFile(file, 'swap: off\nfreshness: 1s\nreaders: 2\nviews: {max: 32}\n');
    daemon.child.kill('SIGHUP');
    expect(await daemon.logged('Configuration reloaded')).toMatchObject({
      applied: ['freshness', 'swap'],
    });
    const restart = 'Changed, but takes effect only after a restart';
    expect(await daemon.logged(restart)).toMatchObject({ needsRestart: ['views.max', 'readers'] });
    const swap = /^SwapTotal: +0 kB$/m;
    expect(await readFile(`${daemon.tree}/proc/meminfo`, 'utf8')).toMatch(swap);
  });

  test('keeps the old configuration when the new one is wrong, and logs every problem', async () => {
    const { daemon, file } = await startWithFile('log: {level: info}\n');
    await using _daemon = daemon;
    await writeFile(file, 'cpu: {count: many}\nswop: on\nlog: {level: fatal}\n');
    daemon.child.kill('SIGHUP');
    expect(await daemon.logged('Configuration is wrong, keeping the old one')).toMatchObject({
      level: 'error',
      problems: [
        `cpu.count: expected quota or cpuset, got "many" (${file}, line 1)`,
        `swop: unknown key, did you mean "swap" (${file}, line 2)`,
      ],
    });
    expect(await readFile(`${daemon.tree}/proc/uptime`, 'utf8')).toMatch(/^\d/);
    await writeFile(file, '');
    daemon.child.kill('SIGHUP');
    expect(await daemon.logged('Configuration reloaded')).toMatchObject({ applied: [] });
  });

  test('is the same through "lensfs reload"', async () => {
    const { daemon, file } = await startWithFile('');
    await using _daemon = daemon;
    expect(await daemon.command('reload')).toMatchObject({
      code: 0,
      stdout: 'Nothing has changed\n',
    });
    await writeFile(file, 'cpu: {count: cpuset}\nlog: {level: warn}\ntree: /elsewhere\n');
    expect(await daemon.command('reload')).toEqual({
      code: 0,
      signal: null,
      stdout: 'In force: cpu.count, log.level\n',
      stderr: '',
    });
    await writeFile(file, 'readers: 0\nx: 1\n');
    expect(await daemon.command('reload')).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr: expect.stringMatching(/^lensfs: readers: expected .*\nx: unknown key .*\n$/),
    });
  });

  test('changes the level of the log', async () => {
    const { daemon, file } = await startWithFile('');
    await using _daemon = daemon;
    await writeFile(file, 'log: {level: error}\n');
    expect((await daemon.command('reload')).code).toBe(0);
    daemon.child.kill('SIGTERM');
    await daemon.exited;
    // The request that changes it is the last that is told.
    expect(daemon.log.map(({ msg }) => msg)).toEqual(['Serving', 'Request on the control socket']);
  });
});

describe('a running daemon', () => {
  test('reports its status as text and as JSON', async () => {
    await using daemon = await RunningDaemon.start();
    await readFile(`${daemon.tree}/proc/stat`, 'utf8');
    const json = await daemon.command('status', '--json');
    expect([json.code, json.stderr]).toEqual([0, '']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      version: '0.1.0',
      pid: daemon.child.pid,
      tree: daemon.tree,
      runDir: daemon.runDir,
      layout: expect.stringMatching(/^(v1|v2|hybrid)$/),
      findsById: true,
    });
    const { code, stdout } = await daemon.command('status');
    expect(code).toBe(0);
    expect(stdout).toContain(`Tree              ${daemon.tree}, 2 layers\n`);
  });

  test('has a control socket for its group only', async () => {
    await using daemon = await RunningDaemon.start();
    expect((await stat(`${daemon.runDir}/control.sock`)).mode & 0o777).toBe(0o660);
  });

  test('has ended when "lensfs stop" returns', async () => {
    await using daemon = await RunningDaemon.start();
    expect(await daemon.command('stop')).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    expect(await mountsIn(daemon.dir.path)).toEqual([]);
    expect(await readdir(daemon.runDir)).toEqual(remembered);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  test('is stopped once by many who ask at once', async () => {
    await using daemon = await RunningDaemon.start();
    const stops = await Promise.all(Array.from({ length: 4 }, () => daemon.command('stop')));
    expect(stops.filter(({ code }) => code === 0).length).toBeGreaterThan(0);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });
});

describe('lensfs show', () => {
  const test = testWith(built(program), addon);

  test('prints a file without a daemon, with and without the leading slash', async () => {
    const { code, stdout, stderr } = await lensfs(['show', '/proc/meminfo']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^MemTotal: +\d+ kB\n/);
    expect((await lensfs(['show', 'proc/meminfo'])).stdout).toMatch(/^MemTotal: /);
  });

  test('prints what another process sees', async () => {
    const { code, stdout } = await lensfs(['show', 'proc/uptime', '--pid', String(process.pid)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/);
  });

  test('follows the configuration', async () => {
    const { stdout } = await lensfs(['show', 'proc/meminfo', '--set', 'swap=off']);
    expect(stdout).toMatch(/^SwapTotal: +0 kB$/m);
  });

  test('names the files there are', async () => {
    const { code, stdout, stderr } = await lensfs(['show', 'proc/version']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /^lensfs: show: no virtual file "proc\/version": one of .*proc\/meminfo/,
    );
  });

  test('says that a process does not exist', async () => {
    const { code, stdout, stderr } = await lensfs(['show', 'proc/stat', '--pid', '4194305']);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^lensfs: .+\n$/);
  });

  test('says that a cgroup does not exist', async () => {
    const args = ['show', 'proc/stat', '--cgroup', '/no/such/cgroup'];
    const { code, stdout, stderr } = await lensfs(args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^lensfs: .+\n$/);
  });

  testWith(
    built(program),
    addon,
    root,
    command('setpriv'),
  )('needs no root', async () => {
    const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups'];
    const mayRead = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
    const { code, stdout } = await run('setpriv', [
      ...[...nobody, ...mayRead, program],
      ...['show', 'proc/uptime'],
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d/);
  });
});
