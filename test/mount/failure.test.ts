// SPDX-License-Identifier: Apache-2.0
// What readers get when their view cannot be made: their last good bytes, the host's, or EIO; and
// each time it is counted.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import {
  fallbackCount,
  rootsOf,
  statusOf,
  mountTest as test,
  useDaemon,
} from '../_support/mounted.js';
import { python } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';
import { buildTree, type TreeLiteral } from '../_support/tree.js';

const mib = 2 ** 20;

const total = (text: string) => Number(/^MemTotal: +(\d+) kB$/m.exec(text)?.[1]);

/** For how long a caller's view is taken as known; see identity_cache.cc. */
const identityKeptMs = 100;

interface Gone {
  before: string;
  after: string;
  unread: string;
  tookMs: number;
}

/** Reads in a cgroup, leaves and removes it, and at once reads again through the same handle. */
async function readRemoved(tree: string): Promise<Gone> {
  for (;;) {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const result = await python<Gone>(
      `
      tree, directories = args[0], args[1:]
      def read(fd):
          try:
              return os.pread(fd, 1 << 16, 0).decode()
          except OSError as error:
              return errno.errorcode[error.errno]
      def join(suffix=''):
          for directory in directories:
              open(os.path.join(directory, suffix, 'cgroup.procs'), 'w').write('0')
      meminfo, swaps = (os.open(tree + '/proc/' + name, os.O_RDONLY) for name in ('meminfo', 'swaps'))
      join()
      begin = time.monotonic()
      before = read(meminfo)
      join('..')
      for directory in directories:
          os.rmdir(directory)
      after, unread = read(meminfo), read(swaps)
      reply({'before': before, 'after': after, 'unread': unread,
             'tookMs': (time.monotonic() - begin) * 1000})
      `,
      { args: [tree, ...cgroup.directories] },
    );
    if (result.tookMs < identityKeptMs) return result; // else the machine was too slow
  }
}

for (const [policy, unread] of [
  ['host', /^Filename\s+Type/],
  ['error', /^EIO$/],
] as const) {
  test(`on_failure=${policy}: a reader whose cgroup is removed keeps its last bytes`, async () => {
    const args = ['--set', 'freshness=0', '--set', `on_failure=${policy}`];
    await using daemon = await RunningDaemon.start(args);
    const result = await readRemoved(daemon.tree);
    expect(total(result.before)).toBe(64 * 1024);
    expect(result.after).toBe(result.before);
    expect(result.unread).toMatch(unread);
    expect(await fallbackCount(daemon, 'proc/meminfo', 'cgroup-gone')).toBeGreaterThan(0);
    expect(await fallbackCount(daemon, 'proc/swaps', 'cgroup-gone')).toBeGreaterThan(0);
  });
}

describe('a cgroup whose files say what they should not', () => {
  /** A v2 hierarchy with the cgroup that the test's processes really are in. */
  function hierarchy({ path }: TestCgroup, memory: TreeLiteral): TreeLiteral {
    return {
      'cgroup/cgroup.controllers': 'cpu memory\n',
      [`cgroup${path}`]: {
        'cgroup.procs': '',
        'memory.max': `${64 * mib}\n`,
        'memory.stat': 'anon 4096\nfile 8192\n',
        ...memory,
      },
    };
  }

  async function serve(cgroup: TestCgroup, memory: TreeLiteral, ...args: string[]) {
    const tree = await buildTree(hierarchy(cgroup, memory));
    const roots = rootsOf({ proc: '/proc', sys: '/sys', cgroup: tree.cgroup });
    const daemon = await RunningDaemon.start([...roots, '--set', 'freshness=0', ...args]);
    const read = async (file: string) =>
      await run(...cgroup.enter('cat', `${daemon.tree}/proc/${file}`));
    return { tree, daemon, read };
  }

  test("gets the host's bytes, counted, until it is right again", async () => {
    await using cgroup = await TestCgroup.create();
    const { tree, daemon, read } = await serve(cgroup, { 'memory.current': 'many\n' });
    await using _tree = tree;
    await using _daemon = daemon;
    const hosts = total(await readFile('/proc/meminfo', 'utf8'));
    expect(total((await read('meminfo')).stdout)).toBe(hosts);
    expect(await fallbackCount(daemon, 'proc/meminfo', 'unparsable')).toBeGreaterThan(0);
    // The host's slabs are nobody's business.
    expect((await read('slabinfo')).stdout.split('\n').length).toBe(3);

    await tree.write(`cgroup${cgroup.path}/memory.current`, '16384\n');
    const { fallbacks } = await statusOf(daemon);
    expect(total((await read('meminfo')).stdout)).toBe(64 * 1024);
    expect((await statusOf(daemon)).fallbacks).toEqual(fallbacks);
  });

  test('gets EIO when that is the policy', async () => {
    await using cgroup = await TestCgroup.create();
    const policy = ['--set', 'on_failure=error'];
    const { tree, daemon, read } = await serve(cgroup, { 'memory.current': '-1\n' }, ...policy);
    await using _tree = tree;
    await using _daemon = daemon;
    const { code, stdout, stderr } = await read('meminfo');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('Input/output error');
    expect(await fallbackCount(daemon, 'proc/meminfo', 'unparsable')).toBeGreaterThan(0);
    expect((await read('uptime')).stdout).toMatch(/^\d/);
  });

  test('a file that cannot be read at all is another cause', async () => {
    await using cgroup = await TestCgroup.create();
    const { tree, daemon, read } = await serve(cgroup, {});
    await using _tree = tree;
    await using _daemon = daemon;
    await mkdir(join(dirname(`${tree.cgroup}${cgroup.path}/x`), 'memory.current'));
    expect(total((await read('meminfo')).stdout)).toBeGreaterThan(64 * 1024);
    expect(await fallbackCount(daemon, 'proc/meminfo', 'unreadable')).toBeGreaterThan(0);
  });
});

describe('a reader whose pid the daemon cannot see', () => {
  /** A daemon in a pid namespace of its own, with a /proc that shows that one only. */
  async function withDaemon(args: string[], body: (daemon: RunningDaemon) => Promise<void>) {
    await using dir = await TempDir.create();
    const script = 'mount -t proc proc "$0" && exec "$@"';
    const prefix = ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c', script, dir.path];
    try {
      const roots = ['--set', `roots.proc=${dir.path}`];
      await using daemon = await RunningDaemon.start([...roots, ...args], { prefix });
      await body(daemon);
      expect((await daemon.command('stop')).code).toBe(0);
    } finally {
      await run('umount', ['-l', dir.path]);
    }
  }

  test("gets the host's bytes", async () => {
    await withDaemon([], async (daemon) => {
      const text = await readFile(`${daemon.tree}/proc/meminfo`, 'utf8');
      expect(total(text)).toBe(total(await readFile('/proc/meminfo', 'utf8')));
      expect(await fallbackCount(daemon, 'proc/meminfo', 'caller-unknown')).toBeGreaterThan(0);
    });
  });

  test('gets EIO when that is the policy, and no CPU', async () => {
    await withDaemon(['--set', 'on_failure=error'], async (daemon) => {
      for (const path of ['proc/meminfo', 'sys/devices/system/cpu/cpu0/uevent']) {
        const read = readFile(`${daemon.tree}/${path}`, 'utf8');
        await expect(read).rejects.toMatchObject({ code: 'EIO' });
      }
      const count = await fallbackCount(daemon, 'sys/devices/system/cpu', 'caller-unknown');
      expect(count).toBeGreaterThan(0);
    });
  });
});

describe('a host without faults', () => {
  const daemon = useDaemon('--set', 'freshness=0');

  test('no read falls back', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib, cpus: 0.5 });
    const find = ['find', daemon().tree, '-type', 'f', '-perm', '/0444'];
    const read = [...find, '-exec', 'cat', '{}', '+'];
    for (const [command, args] of [cgroup.contain('env', ...read), cgroup.enter('env', ...read)]) {
      expect((await run(command, args)).stdout).toMatch(/^MemTotal:/m);
    }
    expect((await statusOf(daemon())).fallbacks).toEqual([]);
  });
});
