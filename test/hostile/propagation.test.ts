// SPDX-License-Identifier: Apache-2.0
// Containers whose mounts are shared with somebody else: what they are given must not appear there.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type BundleOptions, Bundles, type RunningBundle } from '../_support/bundles.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { lensfs, run } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { built, command, testWith } from '../_support/requirements.js';
import { allFiles } from '../_support/seen.js';

const requirements = [
  command('runc'),
  command('python3'),
  built(hookProgram),
  built(runtimeProgram),
];
const test = testWith(...mountRequirements, ...requirements);
const getDaemon = useDaemon();
const inProc = allFiles.filter((path) => path.startsWith('/proc/'));
const inSys = allFiles.filter((path) => path.startsWith('/sys/'));

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

/** Where files of lensfs are mounted, each once, sorted. */
function mountsIn(mountinfo: string): string[] {
  const lines = mountinfo.split('\n').filter((line) => line.includes(' - fuse.lensfs '));
  const points = lines.map((line) => line.split(' ')[4] ?? '');
  return [...new Set(points)].filter((point) => /^\/(proc|sys)\//.test(point)).sort();
}

async function mountsOf(pid: number): Promise<string[]> {
  return mountsIn(await readFile(`/proc/${pid}/mountinfo`, 'utf8'));
}

const idle: BundleOptions = { command: ['/bin/sleep', '1000000'], memoryBytes: 128 * 2 ** 20 };

async function call(name: string, { pid }: RunningBundle) {
  const { tree, runDir } = getDaemon();
  const places = ['--tree', tree, '--run-dir', runDir];
  const { stdout } = await lensfs([name, String(pid), '--json', ...places]);
  return JSON.parse(stdout) as { done: string[]; left: { path: string; reason: string }[] };
}

// Stays on the outside but for its mounts: a copy of the container's, as they are or as ones that follow.
const copyMounts = `
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_SLAVE = 0x20000, 0x4000, 0x80000
assert libc.setns(os.open(f'/proc/{sys.argv[1]}/ns/mnt', os.O_RDONLY), CLONE_NEWNS) == 0
assert libc.unshare(CLONE_NEWNS) == 0
if sys.argv[2] == 'slave':
    assert libc.mount(b'none', b'/', None, MS_REC | MS_SLAVE, None) == 0
print('ready', flush=True)
time.sleep(1000000)
`;

/** A process of the host's pid namespace in a copy of a container's mounts, until it is disposed of. */
async function copyOf(pid: number, how: string): Promise<AsyncDisposable & { pid: number }> {
  const child = spawn('python3', ['-c', copyMounts, String(pid), how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const dispose = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: dispose };
}

// A mount namespace whose table is larger than what is read of a text: 2,000 mounts with names of 3,500 bytes, twice each.
const manyMounts = `
  CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
  assert libc.unshare(CLONE_NEWNS) == 0
  assert libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) == 0
  assert libc.mount(b'x', b'/mnt', b'tmpfs', 0, None) == 0
  path = '/mnt'
  for _ in range(14):
      path += '/' + 'a' * 249
      os.mkdir(path)
  for _ in range(2000):
      assert libc.mount(path.encode(), path.encode(), None, MS_BIND, None) == 0
  step(len(open('/proc/self/mountinfo').read()))
`;

describe('lensfs-hook', () => {
  test('gives a container nothing in a /sys that it shares with the host', async () => {
    const sys = {
      destination: '/sys',
      type: 'bind',
      source: '/sys',
      options: ['rbind', 'rshared'],
    };
    const bundle = await bundles.make({
      command: ['/bin/cat', '/proc/self/mountinfo'],
      memoryBytes: 128 * 2 ** 20,
      cpus: 1,
      mounts: [sys],
      rootPropagation: 'rshared',
    });
    const { tree, runDir } = getDaemon();
    const log = `${bundle.path}/log`;
    const places = [`--lensfs-tree=${tree}`, `--lensfs-run-dir=${runDir}`];
    const program = [runtimeProgram, '--lensfs-runtime=runc', ...places, '--log', log];
    const args = ['run', '--bundle', bundle.path, bundle.id];
    // A host of its own whose /sys is shared, as systemd makes it on every host.
    const script = `
      mount --make-shared /sys
      cat /sys/devices/system/cpu/online
      echo ==; "$@" </dev/null; echo ==
      cat /sys/devices/system/cpu/online /proc/self/mountinfo`;
    const shell = ['sh', '-euc', script, 'sh', ...bundles.commandLine('runc', program, args)];
    const { code, stdout, stderr } = await run('unshare', [
      ...['--mount', '--propagation', 'private'],
      ...shell,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    const [before = '', inside = '', after = ''] = stdout.split('==\n');
    expect(mountsIn(inside)).toEqual(inProc);
    expect(after.startsWith(before)).toBe(true);
    expect(mountsIn(after)).toEqual([]);
    expect(await readFile(log, 'utf8')).toContain(
      "/sys/devices/system/cpu keeps the host's values: its mount is shared with the outside",
    );
  });
});

describe('lensfs attach', () => {
  test('gives files to a container that shares its mounts with nobody outside', async () => {
    await using container = await bundles.start(idle);
    const share = '/bin/busybox mount --make-shared /proc; /bin/busybox mount --make-rshared /sys';
    const into = ['--target', String(container.pid), '--mount'];
    expect((await run('nsenter', [...into, '/bin/sh', '-c', share])).code).toBe(0);
    expect(await call('attach', container)).toMatchObject({ done: allFiles, left: [] });
    expect(await mountsOf(container.pid)).toEqual(allFiles);
  });

  test('gives them also while another container has thousands of mounts with long names', async () => {
    await using hostile = new PythonProcess(manyMounts);
    expect(await hostile.next<number>()).toBeGreaterThan(12e6);
    await using container = await bundles.start(idle);
    const share = '/bin/busybox mount --make-shared /proc; /bin/busybox mount --make-rshared /sys';
    const into = ['--target', String(container.pid), '--mount'];
    expect((await run('nsenter', [...into, '/bin/sh', '-c', share])).code).toBe(0);
    expect(await call('attach', container)).toMatchObject({ done: allFiles, left: [] });
  });

  test('gives none that would appear outside, where a mount is shared or followed', async () => {
    for (const propagation of ['shared', 'slave']) {
      await using container = await bundles.start(idle);
      const into = ['--target', String(container.pid), '--mount'];
      const shared = await run('nsenter', [
        ...into,
        '/bin/busybox',
        'mount',
        '--make-shared',
        '/proc',
      ]);
      expect(shared.code).toBe(0);
      await using outside = await copyOf(container.pid, propagation);
      const { done, left } = await call('attach', container);
      expect(done).toEqual(inSys);
      expect(left.map(({ path }) => path)).toEqual(inProc);
      for (const { reason } of left) expect(reason).toContain('shared with the outside');
      expect(await mountsOf(container.pid)).toEqual(inSys);
      expect(await mountsOf(outside.pid)).toEqual([]);
    }
  });
});
