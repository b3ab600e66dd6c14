// SPDX-License-Identifier: Apache-2.0
// What reads cost the daemon, and its bounds: system calls of a warm read, views, descriptors.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountTest, statusOf, mountTest as test } from '../_support/mounted.js';
import { PythonProcess, python } from '../_support/python.js';
import { command } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';

const mib = 2 ** 20;

/** Several cgroups, removed together. */
class Cgroups implements AsyncDisposable {
  readonly list: TestCgroup[] = [];

  static async create(count: number): Promise<Cgroups> {
    const cgroups = new Cgroups();
    for (let index = 0; index < count; ++index) {
      cgroups.list.push(await TestCgroup.create({ memoryBytes: (64 + index) * mib }));
    }
    return cgroups;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cgroup of this.list) await cgroup[Symbol.asyncDispose]();
  }
}

/** What a reader in each cgroup, one after the other, takes for its memory in MiB. */
async function readInEach(tree: string, { list }: Cgroups): Promise<number[]> {
  return await python<number[]>(
    `
    def total(directories):
        reading, writing = os.pipe()
        if os.fork() == 0:
            for directory in directories:
                open(directory + '/cgroup.procs', 'w').write('0')
            for name in ('stat', 'uptime', 'cpuinfo', 'swaps'):
                open(args[0] + '/proc/' + name).read()
            os.write(writing, open(args[0] + '/proc/meminfo').readline().encode())
            os._exit(0)
        os.close(writing)
        with open(reading) as pipe:
            text = pipe.read()
        os.wait()
        return int(text.split()[1]) // 1024
    reply([total(directories) for directories in json.loads(args[1])])
    `,
    { args: [tree, JSON.stringify(list.map(({ directories }) => directories))] },
  );
}

async function descriptors(daemon: RunningDaemon): Promise<number> {
  return (await readdir(`/proc/${await daemon.workerPid()}/fd`)).length;
}

describe('bounds', () => {
  test('at most views.max views are kept, and all readers get their own values', async () => {
    await using cgroups = await Cgroups.create(40);
    await using daemon = await RunningDaemon.start(['--set', 'views.max=16']);
    const expected = cgroups.list.map((_, index) => 64 + index);
    for (let round = 0; round < 2; ++round) {
      expect(await readInEach(daemon.tree, cgroups)).toEqual(expected);
      expect((await statusOf(daemon)).views).toBe(16);
    }
    expect((await statusOf(daemon)).fallbacks).toEqual([]);
    // Callers are known for a moment longer than their views.
    await waitUntil('the descriptors of dropped views are given back', async () => {
      return (await statusOf(daemon)).heldDescriptors < 16 * 30;
    });
  });

  test('with few descriptors to hold, they are opened for each read', async () => {
    await using cgroups = await Cgroups.create(160);
    const prefix = ['prlimit', '--nofile=1024:1024'];
    await using daemon = await RunningDaemon.start(['--set', 'freshness=0'], { prefix });
    const expected = cgroups.list.map((_, index) => 64 + index);
    for (let round = 0; round < 2; ++round) {
      expect(await readInEach(daemon.tree, cgroups)).toEqual(expected);
      expect(await descriptors(daemon)).toBeLessThan(900);
    }
    expect(await statusOf(daemon)).toMatchObject({ fallbacks: [] });
    expect((await statusOf(daemon)).views).toBeGreaterThanOrEqual(160);
  }, 180_000);
});

/** The system calls of a process and its threads while `body` runs, one line each. */
async function trace(pid: number, file: string, body: () => Promise<void>): Promise<string[]> {
  const options = ['-f', '-y', '-qq', '-o', file, '-e', 'trace=all', '-p', `${pid}`];
  const tracer = spawn('strace', options, { stdio: 'ignore' });
  const ended = once(tracer, 'exit');
  try {
    await waitUntil('strace is attached to all threads', async () => {
      const tids = await readdir(`/proc/${pid}/task`);
      const states = await Promise.all(
        tids.map((tid) => readFile(`/proc/${pid}/task/${tid}/status`, 'utf8')),
      );
      return states.every((status) => !/^TracerPid:\t0$/m.test(status));
    });
    await body();
  } finally {
    tracer.kill('SIGINT');
    await ended;
  }
  return (await readFile(file, 'utf8')).split('\n');
}

const tracedTest = command('strace').met() ? mountTest : noStrace;

function noStrace(name: string): void {
  test(name, (context) => context.skip(command('strace').missing));
}

describe('a warm read', () => {
  const reads = 200;

  /** Reads of one file by a container whose view is known, and the daemon's system calls. */
  async function traceReads(file: string, freshness: string): Promise<string[]> {
    await using cgroup = await TestCgroup.create({ memoryBytes: 64 * mib, cpus: 1 });
    await using daemon = await RunningDaemon.start(['--set', `freshness=${freshness}`]);
    await using reader = new PythonProcess(
      `
      fd = os.open(args[0], os.O_RDONLY)
      for _ in range(20):
          os.pread(fd, 1 << 16, 0)
      step()
      for _ in range(${reads}):
          os.pread(fd, 1 << 16, 0)
      reply('done')
      `,
      { args: [`${daemon.tree}/${file}`], cgroup },
    );
    await reader.next();
    return await trace(await daemon.workerPid(), daemon.dir.at('trace'), async () => {
      reader.go();
      await reader.next();
    });
  }

  /** How often each file was read, by path; sorted like numbers. */
  function preads(lines: readonly string[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of lines) {
      const path = /\bpread64\(\d+<([^>]*)>/.exec(line)?.[1];
      if (path !== undefined) counts.set(path, (counts.get(path) ?? 0) + 1);
    }
    return counts;
  }

  tracedTest('reads each cgroup file once, and opens and forks nothing', async () => {
    const lines = await traceReads('proc/meminfo', '0');
    for (const [path, count] of preads(lines)) {
      if (path.endsWith('/overcommit_ratio') || /^\/proc\/\d+\//.test(path)) continue; // at times
      expect.soft([path, count]).toEqual([path, reads]);
    }
    // Who the caller is is looked up again ten times a second.
    const opened = lines.filter((line) => /\bopenat2?\(/.test(line));
    expect(opened.filter((line) => !/"\d+\/cgroup"/.test(line))).toEqual([]);
    expect(opened.length).toBeLessThan(reads / 4);
    expect(lines.filter((line) => /\b(clone3?|v?fork|execve|socket)\(/.test(line))).toEqual([]);
    expect(lines.filter((line) => /\b(mmap|brk|munmap)\(/.test(line)).length).toBeLessThan(5);
  });

  tracedTest("reads the host's files at most once while they are fresh", async () => {
    for (const file of ['proc/meminfo', 'proc/stat', 'proc/cpuinfo']) {
      const lines = await traceReads(file, '60s');
      const counts = [...preads(lines)].filter(([path]) => path.startsWith('/proc/'));
      const repeated = counts.filter(([path, count]) => count > 2 && !/^\/proc\/\d+\//.test(path));
      expect(repeated).toEqual([]);
    }
  });
});
