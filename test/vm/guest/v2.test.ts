// SPDX-License-Identifier: Apache-2.0
// What only a machine with cgroup v2 and a disk of the tests' own can show. Run by test/vm/v2.test.ts, as
// root of a virtual machine that nobody else uses.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TestCgroup } from '../../_support/cgroup.js';
import { Clients, clientFiles } from '../../_support/clients.js';
import { RunningDaemon, run } from '../../_support/lensfs.js';
import { statusOf, useDaemon } from '../../_support/mounted.js';
import { cpuNumbers, parseProcessors, parseStat } from '../../_support/proc-text.js';
import { PythonProcess, python } from '../../_support/python.js';
import { pinnedDirectoryOf } from '../../_support/views.js';

const cgroupRoot = '/sys/fs/cgroup';
const ownDisk = '/dev/vdb';

const daemon = useDaemon();

/** What the first process of a container with this cgroup reads. */
async function readIn(cgroup: TestCgroup, path: string): Promise<string> {
  const { stdout, stderr, code } = await run(...cgroup.contain('cat', join(daemon().tree, path)));
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

describe('the machine', () => {
  test('has the unified hierarchy alone, with all controllers, and four CPUs', async () => {
    const controllers = (await readFile(join(cgroupRoot, 'cgroup.controllers'), 'utf8')).trim();
    expect(controllers.split(' ')).toEqual(
      expect.arrayContaining(['cpu', 'cpuset', 'hugetlb', 'io', 'memory', 'pids']),
    );
    expect(await readFile('/proc/self/cgroup', 'utf8')).toBe('0::/system.slice/tests.service\n');
    expect(await readFile('/proc/mounts', 'utf8')).not.toMatch(/ cgroup /);
    expect(cpus()).toHaveLength(4);
  });

  test('has a kernel that sends no request again (FUSE_NOTIFY_RESEND is of 6.9)', () => {
    const [major = 0, minor = 0] = release().split('.').map(Number);
    expect(major * 100 + minor).toBeLessThan(609);
  });
});

describe('diskstats', () => {
  const row = (text: string) => /^ +\d+ +\d+ vdb (.*)$/m.exec(text)?.[1]?.split(' ').map(Number);

  test('has what the container has read from and written to a disk', async () => {
    await using cgroup = await TestCgroup.create();
    await using other = await TestCgroup.create();
    const copy = async (...words: string[]) => {
      const { code, stderr } = await run(...cgroup.enter('dd', 'bs=64k', ...words));
      expect([code, stderr]).toEqual([0, expect.anything()]);
    };
    await copy('if=/dev/zero', `of=${ownDisk}`, 'count=16', 'oflag=direct');
    await copy(`if=${ownDisk}`, 'of=/dev/null', 'count=8', 'iflag=direct');

    const columns = row(await readIn(cgroup, 'proc/diskstats')) ?? [];
    const [reads = 0, , sectorsRead = 0, , writes = 0, , sectorsWritten = 0] = columns;
    const stat = await readFile(cgroup.file('io', 'io.stat'), 'utf8');
    const kernel = (key: string) =>
      Number(new RegExp(`^254:16 .*\\b${key}=(\\d+)`, 'm').exec(stat)?.[1]);
    expect(sectorsWritten).toBe((16 * 65_536) / 512);
    expect(sectorsWritten).toBe(kernel('wbytes') / 512);
    expect(writes).toBe(kernel('wios'));
    expect(sectorsRead).toBeGreaterThanOrEqual((8 * 65_536) / 512);
    expect(sectorsRead).toBe(kernel('rbytes') / 512);
    expect(reads).toBe(kernel('rios'));
    const host = row(await readFile('/proc/diskstats', 'utf8')) ?? [];
    expect(columns).toHaveLength(host.length);
    expect(row(await readIn(other, 'proc/diskstats'))).toEqual(host.map(() => 0));
  });
});

describe('pressure', () => {
  const total = (text: string) => Number(/^some .*total=(\d+)$/m.exec(text)?.[1]);

  test('is that of the container', async () => {
    await using pressed = await TestCgroup.create({ cpus: 1 });
    await using calm = await TestCgroup.create();
    const burn = 'step(0)\nfor _ in range(2):\n  os.fork()\nwhile True: pass';
    await using burner = new PythonProcess(burn, { cgroup: pressed });
    await burner.next();
    burner.go();
    const file = pressed.file('cpu', 'cpu.pressure');
    await expect.poll(async () => total(await readFile(file, 'utf8'))).toBeGreaterThan(200_000);
    const before = total(await readFile(file, 'utf8'));
    const seen = total(await readIn(pressed, 'proc/pressure/cpu'));
    const after = total(await readFile(file, 'utf8'));
    expect(seen).toBeGreaterThanOrEqual(before);
    expect(seen).toBeLessThanOrEqual(after);
    expect(total(await readIn(calm, 'proc/pressure/cpu'))).toBeLessThan(before);
    for (const name of ['memory', 'io']) {
      const text = await readIn(calm, `proc/pressure/${name}`);
      expect(text).toMatch(/^some avg10=0\.00 .*\nfull avg10=0\.00 .*\n$/);
    }
  });
});

describe('loadavg', () => {
  const tasks = (text: string) => /^[\d.]+ [\d.]+ [\d.]+ (\d+)\/(\d+) /.exec(text)?.slice(1, 3);

  test('counts tasks that run and tasks that wait for a disk, and no others', async () => {
    await using cgroup = await TestCgroup.create();
    // posix_spawn waits in state D for its child, which waits for a writer of the FIFO. The first process
    // sleeps, and so do unshare, which has made it, and "cat" until it has been answered.
    const script = `
      os.mkfifo(args[0])
      for kind in ('D', 'R', 'S'):
          if os.fork() == 0:
              while kind == 'R':
                  pass
              if kind == 'D':
                  open_fifo = (os.POSIX_SPAWN_OPEN, 0, args[0], os.O_RDONLY, 0o600)
                  os.posix_spawn('/bin/true', ['true'], {}, file_actions=[open_fifo])
              time.sleep(1000000)
      step(0)
      time.sleep(1000000)
    `;
    const fifo = daemon().dir.at('fifo');
    await using busy = new PythonProcess(script, { args: [fifo], cgroup });
    await busy.next();
    const states = async () => {
      const pids = (await readFile(cgroup.file('cpu', 'cgroup.procs'), 'utf8')).trim().split('\n');
      const texts = pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
      return (await Promise.all(texts)).map((text) => /\) (\w) /.exec(text)?.[1]).sort();
    };
    await expect.poll(states).toEqual(['D', 'R', 'S', 'S', 'S', 'S']);
    // The reader joins the cgroup, not the pid namespace: the view is known by the cgroup.
    const { stdout } = await run(...cgroup.enter('cat', join(daemon().tree, 'proc/loadavg')));
    expect(tasks(stdout)).toEqual(['2', '7']);
    const stat = await run(...cgroup.enter('cat', join(daemon().tree, 'proc/stat')));
    expect(parseStat(stat.stdout).others).toMatchObject({ procs_running: 1, procs_blocked: 1 });
  });

  test('counts the threads of threaded cgroups below the container', async () => {
    await using cgroup = await TestCgroup.create();
    const threaded = join(cgroup.file('cpu', '.'), 'threaded');
    await mkdir(threaded);
    await writeFile(join(threaded, 'cgroup.type'), 'threaded');
    // Both hold no lock of Python's while they work.
    const script = `
      import hashlib, threading
      def work():
          hashlib.pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)
      threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
      for thread in threads: thread.start()
      with open(args[0] + '/cgroup.threads', 'w') as file:
          file.write(str(threads[0].native_id))
      step(open('/proc/self/task/%d/cgroup' % threads[0].native_id).read())
      time.sleep(1000000)
    `;
    {
      const [command, argv] = cgroup.enter('env');
      await using working = new PythonProcess(script, {
        args: [threaded],
        prefix: [command, ...argv],
      });
      expect(await working.next()).toMatch(/\/threaded\n$/);
      const { stdout } = await run(...cgroup.enter('cat', join(daemon().tree, 'proc/loadavg')));
      expect(tasks(stdout)).toEqual(['2', '4']); // "cat" sleeps until it has been answered
    }
    await expect
      .poll(async () => await readFile(join(threaded, 'cgroup.threads'), 'utf8'))
      .toBe('');
    const { code, stderr } = await run('rmdir', [threaded]);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('four CPUs', () => {
  const seenBy = async (cgroup: TestCgroup) => {
    const online = await readIn(cgroup, 'sys/devices/system/cpu/online');
    const processors = parseProcessors(await readIn(cgroup, 'proc/cpuinfo'));
    const inStat = cpuNumbers(parseStat(await readIn(cgroup, 'proc/stat')).cpus);
    expect(inStat).toEqual(processors);
    return [online.trim(), processors];
  };

  test('are cut to a set, and the set to a quota from below', async () => {
    await using set = await TestCgroup.create({ cpuset: '1,3' });
    expect(await seenBy(set)).toEqual(['1,3', [1, 3]]);
    await using quota = await TestCgroup.create({ cpuset: '1-3', cpus: 1.5 });
    expect(await seenBy(quota)).toEqual(['1-2', [1, 2]]);
    await using most = await TestCgroup.create({ cpus: 3.2 });
    expect(await seenBy(most)).toEqual(['0-3', [0, 1, 2, 3]]);
  });
});

describe('a slice as systemd lays it out', () => {
  test('limits the services in it, whose first process is in their init.scope', async () => {
    await using slice = await TestCgroup.create({ memoryBytes: 96 * 2 ** 20, cpus: 2 });
    const directory = slice.file('memory', '.');
    const service = join(directory, 'machine-a.service');
    const scope = join(service, 'init.scope');
    await writeFile(join(directory, 'cgroup.subtree_control'), '+memory +cpu');
    await mkdir(service);
    await writeFile(join(service, 'memory.max'), `${128 * 2 ** 20}`);
    await mkdir(scope);
    const totals = await python<string[]>(
      `
      def enter(directory):
          open(directory + '/cgroup.procs', 'w').write('0')
      enter(args[1])
      assert libc.unshare(0x02000000 | 0x20000000) == 0  # CLONE_NEWCGROUP | CLONE_NEWPID
      enter(args[2])
      if os.fork() != 0:
          os.wait()
          os._exit(0)
      open(args[1] + '/cgroup.subtree_control', 'w').write('+memory')
      open(args[2] + '/memory.max', 'w').write('16M')
      lines = [open(args[0] + '/proc/meminfo').readline()]
      lines.append(open(args[0] + '/sys/devices/system/cpu/online').read())
      reply(lines)
      `,
      { args: [daemon().tree, service, scope] },
    );
    for (const path of [scope, service]) expect((await run('rmdir', [path])).stderr).toBe('');
    expect(totals).toEqual([expect.stringMatching(/^MemTotal: +98304 kB\n$/), '0-1\n']);
  });
});

describe('a worker that is killed, where the kernel sends no request again', () => {
  test('is followed by one that answers all, with no failed read', async () => {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
    await using own = await RunningDaemon.start(['--set', 'workers.deaths=1000']);
    const view = await pinnedDirectoryOf(own, cgroup.path);
    await using clients = await Clients.start(clientFiles(own, view).slice(0, 2));
    const kills = 2;
    for (let count = 1; count <= kills; count += 1) {
      process.kill(await own.workerPid(), 'SIGKILL');
      await own.logged('Serving again', count);
    }
    await clients.finish(`${kills} kills`);
    expect((await statusOf(own)).fallbacks).toEqual([]);
    expect(existsSync(own.tree)).toBe(true);
  });
});

describe('every answer', () => {
  test('is of the container that asked', async () => {
    expect((await statusOf(daemon())).fallbacks).toEqual([]);
  });
});
