// SPDX-License-Identifier: Apache-2.0
// What LXCFS's own suite expects of a container with 64 MiB and the CPU 0, and of reading as such.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { run } from '../_support/lensfs.js';
import { allClosed, mountTest as test, useDaemon } from '../_support/mounted.js';
import { cpuNumbers, parseCpuList, parseProcessors, parseStat } from '../_support/proc-text.js';
import { python } from '../_support/python.js';

const daemon = useDaemon();
const sysCpu = 'sys/devices/system/cpu';

function at(path: string): string {
  return join(daemon().tree, path);
}

/** Limits of LXCFS's test container. */
async function smallCgroup(): Promise<TestCgroup> {
  return await TestCgroup.create({ memoryBytes: 64 * 2 ** 20, cpuset: '0' });
}

async function readIn(cgroup: TestCgroup, path: string): Promise<string> {
  const { stdout, stderr, code } = await run(...cgroup.contain('cat', at(path)));
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

describe('a container of 64 MiB and one CPU', () => {
  test('finds the files by listing', async () => {
    await using cgroup = await smallCgroup();
    const { stdout } = await run(...cgroup.contain('ls', '-l', at('proc')));
    for (const name of ['uptime', 'cpuinfo', 'stat', 'meminfo']) {
      expect(stdout).toMatch(new RegExp(` ${name}$`, 'm'));
    }
  });

  test('is as old as its first process', async () => {
    await using cgroup = await smallCgroup();
    expect(await readIn(cgroup, 'proc/uptime')).toMatch(/^\d\.\d\d \d\.\d\d\n$/);
  });

  test('has one CPU, number 0, in every file', async () => {
    await using cgroup = await smallCgroup();
    expect(parseProcessors(await readIn(cgroup, 'proc/cpuinfo'))).toEqual([0]);
    expect(parseCpuList(await readIn(cgroup, `${sysCpu}/online`))).toEqual([0]);
    const text = await readIn(cgroup, 'proc/stat');
    expect(text).toMatch(/^cpu {2}\d/);
    expect(cpuNumbers(parseStat(text).cpus)).toEqual([0]);
    const others = Object.keys(parseStat(text).others);
    expect(others).toEqual(expect.arrayContaining(['intr', 'ctxt', 'btime', 'processes']));
  });

  test('has the numbers in its stat that the kernel prints', async () => {
    await using cgroup = await smallCgroup();
    const shape = (text: string) =>
      text.split('\n').map((line) => line.replace(/ .*/, (rest) => ` ${rest.split(' ').length}`));
    const host = shape(await readFile('/proc/stat', 'utf8'));
    const own = shape(await readIn(cgroup, 'proc/stat'));
    // Of intr a total and one more; readers take as many as there are.
    expect(own).toContain('intr 3');
    const wanted = host.filter((line) => !/^(cpu[1-9]|intr)/.test(line));
    expect(own.filter((line) => !line.startsWith('intr'))).toEqual(wanted);
  });

  test('has its limit for MemTotal', async () => {
    await using cgroup = await smallCgroup();
    expect(await readIn(cgroup, 'proc/meminfo')).toMatch(/^MemTotal: +65536 kB$/m);
  });

  for (const name of ['stat', 'meminfo', 'cpuinfo', 'uptime', 'loadavg', 'swaps']) {
    test(`never reads an empty ${name}`, async () => {
      await using cgroup = await smallCgroup();
      const sizes = await python<number[]>(
        'reply([len(open(args[0]).read()) for _ in range(100)])',
        { args: [at(`proc/${name}`)], cgroup },
      );
      expect(sizes).toHaveLength(100);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
    });
  }
});

describe('a young first process in an old cgroup', () => {
  test('was no busier than its CPU since it began', async () => {
    await using cgroup = await TestCgroup.create({ cpus: 1 });
    const burn = 'import time\nwhile time.process_time() < 1: pass';
    const files = [at('proc/loadavg'), at('proc/stat'), at('proc/uptime')].join(' ');
    const script = `python3 -c "$0" && exec unshare --pid --fork --kill-child cat ${files}`;
    const { stdout, stderr } = await run(...cgroup.enter('sh', '-c', script, burn));
    expect(stderr).toBe('');
    const [load = '', ...rest] = stdout.split('\n');
    expect(Number(load.split(' ')[0])).toBeLessThanOrEqual(1);
    const { cpus } = parseStat(rest.join('\n'));
    const { user = 0, nice = 0, system = 0 } = cpus['cpu'] ?? {};
    const [uptime = 0] = rest.at(-2)?.split(' ').map(Number) ?? [];
    expect((user + nice + system) / 100).toBeLessThanOrEqual(uptime);
  });
});

describe('reading', () => {
  for (const flag of ['0', 'os.O_DIRECT']) {
    test(`in pieces of 1024 bytes with pauses gives one text (flags ${flag})`, async () => {
      const paths = ['cpuinfo', 'stat', 'meminfo'].map((name) => at(`proc/${name}`));
      const texts = await python<string[]>(
        `
        fds = [os.open(path, os.O_RDONLY | ${flag}) for path in args]
        texts = [b''] * len(fds)
        for _ in range(3):
            for index, fd in enumerate(fds):
                texts[index] += os.read(fd, 1024)
            time.sleep(1)
        for index, fd in enumerate(fds):
            while piece := os.read(fd, 1024):
                texts[index] += piece
        reply([text.decode() for text in texts])
        `,
        { args: paths },
      );
      const [cpuinfo = '', stat = '', meminfo = ''] = texts;
      expect(parseProcessors(cpuinfo)).toEqual(
        parseProcessors(await readFile('/proc/cpuinfo', 'utf8')),
      );
      expect(stat).toMatch(/^cpu .*\nbtime \d+\n.*\n$/s);
      const hostLines = (await readFile('/proc/meminfo', 'utf8')).split('\n').length;
      expect(meminfo.split('\n')).toHaveLength(hostLines);
    });
  }

  test('directories a thousand times gives the same each time', async () => {
    const different = await python<number>(
      `
      def names():
          return {root: sorted(dirs + files) for root, dirs, files in os.walk(args[0])}
      first = names()
      reply([len(first), sum(sorted(os.listdir(args[0] + '/proc')) != first[args[0] + '/proc']
                             for _ in range(1000))])
      `,
      { args: [daemon().tree] },
    );
    expect(different).toEqual([expect.any(Number), 0]);
    await allClosed(daemon());
  });
});

describe('the daemon', () => {
  test('leaves no defunct children', async () => {
    const children: string[] = [];
    for (const pid of [daemon().child.pid, await daemon().workerPid()]) {
      for (const thread of await readdir(`/proc/${pid}/task`)) {
        const path = `/proc/${pid}/task/${thread}/children`;
        children.push(...(await readFile(path, 'utf8')).split(' ').filter(Boolean));
      }
    }
    for (const pid of children) {
      expect(await readFile(`/proc/${pid}/stat`, 'utf8')).not.toMatch(/\) Z /);
    }
  });
});
