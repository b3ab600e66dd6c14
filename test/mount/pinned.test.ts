// SPDX-License-Identifier: Apache-2.0
// Views by their own paths, whose files are in the kernel's page cache.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { statusOf, mountTest as test, useDaemon } from '../_support/mounted.js';
import { PythonProcess, python } from '../_support/python.js';
import { pinnedDirectoryOf } from '../_support/views.js';
import { waitUntil } from '../_support/wait.js';

const mib = 2 ** 20;
const daemon = useDaemon();

const pages = [
  'proc/loadavg',
  'proc/meminfo',
  'proc/pressure/cpu',
  'proc/pressure/io',
  'proc/pressure/memory',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
  'sys/devices/system/cpu/online',
  'sys/devices/system/cpu/possible',
  'sys/devices/system/cpu/present',
];

/** Paths of all files below a directory. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

function memTotalKib(text: string): number {
  return Number(/^MemTotal: +(\d+) kB\n/.exec(text)?.[1]);
}

describe('a pinned view', () => {
  test('has the files that fit in a page, of one size each, and the shared tree has all', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    const views = `${daemon().runDir}/mnt/shared/views`;
    const named = join(views, basename(pinned));
    const there = await filesBelow(`${daemon().tree}/proc`);
    expect(await filesBelow(pinned)).toEqual(
      pages.filter((path) => !path.startsWith('proc/') || there.includes(path.slice(5))),
    );
    const sys = ['offline', 'online', 'possible', 'present'];
    expect(await filesBelow(named)).toEqual([
      ...there.map((path) => `proc/${path}`),
      ...sys.map((name) => `sys/devices/system/cpu/${name}`),
    ]);
    for (const path of await filesBelow(pinned)) {
      const { size, mode } = await stat(join(pinned, path));
      const text = await readFile(join(pinned, path), 'latin1');
      expect([path, mode & 0o7777, text.length]).toEqual([path, 0o444, size]);
      expect(text).toMatch(/\n$/);
      expect(text).not.toContain('\0');
    }
    for (const directory of [pinned, named]) {
      expect(memTotalKib(await readFile(`${directory}/proc/meminfo`, 'utf8'))).toBe(64 * 1024);
    }
    const online = await readFile(`${named}/sys/devices/system/cpu/online`, 'utf8');
    const padded = await readFile(`${pinned}/sys/devices/system/cpu/online`, 'utf8');
    expect(padded).toBe(online.padEnd(padded.length, '\n'));
  });

  test('is found by a process in it, and only root can come near', async () => {
    await using cgroup = await TestCgroup.create();
    const [command, args] = cgroup.contain('python3', '-c', 'import os; print(os.getppid())');
    expect((await run(command, args)).code).toBe(0);
    await using inside = new PythonProcess('step(os.getpid())', { cgroup });
    await inside.next();
    const procs = await readFile(cgroup.file('memory', 'cgroup.procs'), 'utf8');
    const pid = procs.trim().split('\n').at(-1) ?? '';
    const { stdout } = await daemon().command('show', '--view', '--pid', pid);
    expect(stdout.trimEnd()).toBe(await pinnedDirectoryOf(daemon(), cgroup.path));
    for (const directory of ['mnt', 'mnt/pinned', 'mnt/shared/views']) {
      expect((await stat(`${daemon().runDir}/${directory}`)).mode & 0o777).toBe(0o700);
    }
  });

  test('numbers tasks as its first process does, beside one of the host that has made it', async () => {
    await using cgroup = await TestCgroup.create();
    // unshare stays in the cgroup, with the host's pids.
    const [command, args] = cgroup.contain('sh', '-c', 'echo here; exec sleep 1000000');
    const first = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (first.stdout === null) throw new Error('no pipe');
    await once(first.stdout, 'data');
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    const named = join(`${daemon().runDir}/mnt/shared/views`, basename(pinned));
    for (const directory of [pinned, named]) {
      expect(await readFile(`${directory}/proc/loadavg`, 'utf8')).toMatch(/\/2 1 *\n$/);
    }
  });

  test('has no name when there is no such cgroup', async () => {
    const pinned = `${daemon().runDir}/mnt/pinned`;
    for (const name of ['no-such-cgroup', 'a==b', '%41', '=', 'a=..', 'x'.repeat(1000)]) {
      for (const directory of [pinned, `${daemon().runDir}/mnt/shared/views`]) {
        await expect(stat(join(directory, name))).rejects.toMatchObject({ code: 'ENOENT' });
      }
    }
    const root = await daemon().command('show', '--view', '--cgroup', '/');
    expect([root.code, root.stdout]).toEqual([1, '']);
    expect(root.stderr).toBe(
      'lensfs: Cannot find a view of "/": the root cgroup is the host’s, expected one below it\n',
    );
  });

  test('is listed when it is known', async () => {
    await using cgroup = await TestCgroup.create();
    const name = basename(await pinnedDirectoryOf(daemon(), cgroup.path));
    for (const directory of ['mnt/pinned', 'mnt/shared/views']) {
      await stat(`${daemon().runDir}/${directory}/${name}`);
      expect(await readdir(`${daemon().runDir}/${directory}`)).toContain(name);
    }
    await cgroup.remove();
    expect(await readdir(`${daemon().runDir}/mnt/pinned`)).not.toContain(name);
  });

  test('shows changes of limits, wherever the caller is', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    await using other = await TestCgroup.create({ memoryBytes: 32 * mib });
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    const read = async () => {
      const [command, args] = other.contain('cat', `${pinned}/proc/meminfo`);
      return memTotalKib((await run(command, args)).stdout);
    };
    expect(await read()).toBe(64 * 1024);
    await cgroup.limit({ memoryBytes: 96 * mib });
    await waitUntil('the new limit is seen', async () => (await read()) === 96 * 1024);
  });

  test('can be bound over /proc for another user, whose tools read it', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    const script = `
      for file in meminfo stat uptime loadavg; do mount --bind "$0/proc/$file" /proc/$file; done
      mount --bind "$0/sys/devices/system/cpu/online" /sys/devices/system/cpu/online
      exec setpriv --reuid=65534 --clear-groups sh -ec '
        free --kibi; uptime; vmstat; cat /proc/meminfo; lscpu --online --extended=CPU; getconf _NPROCESSORS_ONLN'`;
    const { code, stdout, stderr } = await run('unshare', ['--mount', 'sh', '-ec', script, pinned]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Mem: +65536 /m);
    expect(memTotalKib(stdout.slice(stdout.indexOf('MemTotal')))).toBe(65536);
  });
});

describe('the page cache', () => {
  test('answers open, read, fstat and close while the daemon stands still', async () => {
    await using still = await RunningDaemon.start(['--set', 'freshness=60s']);
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(still, cgroup.path);
    await using reader = new PythonProcess(
      `
      def read():
          texts = []
          for path in args[1:]:
              fd = os.open('../' + path, os.O_RDONLY)  # open() would ask whether it is a terminal
              assert os.fstat(fd).st_size > 0
              texts.append(os.read(fd, 8192))
              assert os.read(fd, 1) == b''
              os.close(fd)
          return texts
      os.chdir(args[0] + '/proc')  # the name of the view itself is asked for every second
      first = read()
      step()
      reply(all(read() == first for _ in range(200)))
      `,
      { args: [pinned, ...pages.filter((path) => !path.includes('pressure'))] },
    );
    await reader.next();
    still.child.kill('SIGSTOP');
    try {
      reader.go();
      expect(await reader.next()).toBe(true);
    } finally {
      still.child.kill('SIGCONT');
    }
  });

  test('has a page made at most once in the time it is fresh, however many read', async () => {
    await using slow = await RunningDaemon.start(['--set', 'freshness=50ms']);
    await using cgroup = await TestCgroup.create();
    const pinned = await pinnedDirectoryOf(slow, cgroup.path);
    const before = await statusOf(slow);
    const { reads, seconds } = await python<{ reads: number; seconds: number }>(
      `
      import threading
      begin, counts = time.monotonic(), []
      def read():
          count = 0
          while time.monotonic() < begin + 1:
              with open(args[0], 'rb') as file:
                  file.read()
              count += 1
          counts.append(count)
      threads = [threading.Thread(target=read) for _ in range(8)]
      for thread in threads:
          thread.start()
      for thread in threads:
          thread.join()
      reply({'reads': sum(counts), 'seconds': time.monotonic() - begin})
      `,
      { args: [`${pinned}/proc/uptime`] },
    );
    const after = await statusOf(slow);
    expect(reads).toBeGreaterThan(1000);
    expect(after.renders - before.renders).toBeGreaterThan(1);
    // One for the lookup.
    expect(after.renders - before.renders).toBeLessThanOrEqual(seconds / 0.05 + 2);
  });

  test('has a new mtime when the bytes are new, only then, and always one size', async () => {
    await using fast = await RunningDaemon.start(['--set', 'freshness=1ms']);
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(fast, cgroup.path);
    type Seen = Record<'sizes' | 'mtimes' | 'pairs' | 'texts', number>;
    const seen = await python<Record<string, Seen>>(
      `
      def look(path):
          sizes, pairs, texts = set(), set(), set()
          fd = os.open(path, os.O_RDONLY)
          for _ in range(300):
              before = os.fstat(fd)
              text = os.pread(fd, 8192, 0)
              after = os.fstat(fd)
              sizes |= {before.st_size, after.st_size, len(text)}
              if before.st_mtime_ns == after.st_mtime_ns:
                  pairs.add((before.st_mtime_ns, text))
                  texts.add(text)
              time.sleep(0.001)
          mtimes = {mtime for mtime, _ in pairs}
          return {'sizes': len(sizes), 'mtimes': len(mtimes), 'pairs': len(pairs), 'texts': len(texts)}
      reply({name: look(args[0] + '/proc/' + name) for name in ('swaps', 'uptime', 'meminfo')})
      `,
      { args: [pinned] },
    );
    expect(seen['swaps']).toEqual({ sizes: 1, mtimes: 1, pairs: 1, texts: 1 });
    for (const { sizes, mtimes, pairs } of Object.values(seen)) {
      expect([sizes, mtimes]).toEqual([1, pairs]);
    }
    // It never says again what it has said before, as memory in use may.
    expect(seen['uptime']?.pairs).toBe(seen['uptime']?.texts);
    expect(seen['uptime']?.texts).toBeGreaterThan(5);
  });
});

describe('a removed cgroup', () => {
  test('is gone within a second, and its readers get its last bytes or ESTALE', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    await using reader = new PythonProcess(
      `
      fd = os.open(args[0] + '/proc/meminfo', os.O_RDONLY)
      step(os.pread(fd, 8192, 0).decode())
      seen = set()
      begin = time.monotonic()
      gone_after = None
      while time.monotonic() < begin + 2:
          try:
              seen.add(os.pread(fd, 8192, 0).decode().split('\\n')[0])
          except OSError as error:
              seen.add(errno.errorcode[error.errno])
          if gone_after is None and not os.path.exists(args[0]):
              gone_after = time.monotonic() - begin
          time.sleep(0.01)
      reply([gone_after is not None, sorted(seen)])
      `,
      { args: [pinned] },
    );
    const first = memTotalKib(await reader.next<string>());
    expect(first).toBe(64 * 1024);
    await cgroup.remove();
    reader.go();
    const [isGone, seen] = await reader.next<[boolean, string[]]>();
    expect(isGone).toBe(true);
    for (const line of seen) expect(line).toMatch(/^(ESTALE|MemTotal: +65536 kB)$/);
  });

  test('is not mistaken for one of the same name that follows it', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
    const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
    const inode = (await stat(`${pinned}/proc/meminfo`)).ino;
    await cgroup.remove();
    await using next = await cgroup.again({ memoryBytes: 96 * mib });
    expect(next.path).toBe(cgroup.path);
    await waitUntil('the name leads to the new cgroup', async () => {
      return (await stat(`${pinned}/proc/meminfo`)).ino !== inode;
    });
    const text = await readFile(`${pinned}/proc/meminfo`, 'utf8');
    expect(memTotalKib(text)).toBe(96 * 1024);
  });
});

test('a view is found by its id while a process is on its way into its cgroup', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
  const pinned = await pinnedDirectoryOf(daemon(), cgroup.path);
  await using reader = new PythonProcess(
    `
    fd, seen = os.open(args[0], os.O_RDONLY), set()
    step('open')
    begin = time.monotonic()
    while time.monotonic() < begin + 2.5:  # looked up anew after one second
        try:
            seen.add(os.pread(fd, 8192, 0).decode().split('\\n')[0])
        except OSError as error:
            seen.add(errno.errorcode[error.errno])
        time.sleep(0.01)
    reply(sorted(seen))
    `,
    { args: [`${pinned}/proc/meminfo`] },
  );
  await reader.next();
  // Container managers enter one hierarchy after the other.
  await using entering = new PythonProcess(
    `
    with open(args[0], 'w') as procs:
        procs.write('0')
    step('in one of them')
    `,
    { args: [cgroup.file('memory', 'cgroup.procs')] },
  );
  await entering.next();
  reader.go();
  expect(await reader.next()).toEqual(['MemTotal:          65536 kB']);
});

test('a view that was dropped is found again by its cgroup’s id', async () => {
  await using small = await RunningDaemon.start([
    '--set',
    'views.max=16',
    '--set',
    'freshness=1ms',
  ]);
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib });
  const pinned = await pinnedDirectoryOf(small, cgroup.path);
  const named = `${small.runDir}/mnt/shared/views/${basename(pinned)}`;
  await using reader = new PythonProcess(
    `
    fds = [os.open(path + '/proc/meminfo', os.O_RDONLY) for path in args]
    step([os.pread(fd, 8192, 0).decode() for fd in fds])
    reply([os.pread(fd, 8192, 0).decode() for fd in fds])
    `,
    { args: [pinned, named] },
  );
  expect((await reader.next<string[]>()).map(memTotalKib)).toEqual([65536, 65536]);
  for (let index = 0; index < 20; ++index) {
    await using other = await TestCgroup.create();
    await readFile(`${small.runDir}/mnt/pinned/${basename(other.path)}/proc/uptime`);
  }
  await cgroup.limit({ memoryBytes: 96 * mib });
  reader.go();
  expect((await reader.next<string[]>()).map(memTotalKib)).toEqual([98304, 98304]);
});
