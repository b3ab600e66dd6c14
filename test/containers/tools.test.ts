// SPDX-License-Identifier: Apache-2.0
// What the tools people use say in a container: memory of 64 MiB, one CPU of the host's.
import { readFile } from 'node:fs/promises';
import { cpus as hostCpus } from 'node:os';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { ProcessCgroup } from '../_support/cgroup-tree.js';
import { containerTest, containerTestWith, useContainers } from '../_support/containers.js';
import { type DockerContainer, docker } from '../_support/docker.js';
import { parseMemInfo, parseStat } from '../_support/proc-text.js';
import { command, twoCpus } from '../_support/requirements.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';

const test = containerTest;
const testOnTwo = containerTestWith(twoCpus);
const containers = useContainers();

const limitKib = 64 * kibPerMebibyte;
const flags = ['--memory', '64m', '--memory-swap', '64m', '--cpus', '0.5'];

let box: DockerContainer;

// One container for all tools: none of them changes anything.
beforeAll(async () => {
  if (containers().areHere) box = await containers().docker(flags);
});
afterAll(async () => {
  await box?.[Symbol.asyncDispose]();
});

function numbers(text: string | undefined): number[] {
  return [...(text ?? '').matchAll(/\d+(?:\.\d+)?/g)].map(([number]) => Number(number));
}

describe('procps', () => {
  test('free', async () => {
    const text = await box.output('free', '--kibi');
    const [total, used = 0, free = 0, shared, cache = 0, available = 0] = numbers(
      /^Mem:.*$/m.exec(text)?.[0],
    );
    expect([total, shared]).toEqual([limitKib, 0]);
    expect(used + free).toBeLessThanOrEqual(limitKib);
    expect(free + cache).toBeLessThanOrEqual(limitKib);
    expect(available).toBeGreaterThan(limitKib / 2);
    expect(available).toBeLessThanOrEqual(limitKib);
    expect(numbers(/^Swap:.*$/m.exec(text)?.[0])).toEqual([0, 0, 0]);
  });

  test('top', async () => {
    const text = await box.output('top', '-b', '-n', '1');
    expect(text).toMatch(/^top - .* up 0 min, .*load average: \d\.\d\d, \d\.\d\d, \d\.\d\d$/m);
    expect(text).toMatch(/^MiB Mem : +64\.0 total, /m);
    expect(text).toMatch(/^MiB Swap: +0\.0 total, /m);
    const [us = 0, sy = 0, ni = 0, id = 0, wa = 0, hi = 0, si = 0, st = 0] = numbers(
      /^%Cpu.*$/m.exec(text)?.[0],
    );
    const sum = us + sy + ni + id + wa + hi + si + st;
    expect(Math.abs(sum - 100)).toBeLessThan(0.5);
  });

  test('vmstat', async () => {
    const text = await box.output('vmstat', '--unit', 'K');
    const [running = 0, blocked, swapped, free = 0, buffers, , ...rest] = numbers(
      text.trimEnd().split('\n').at(-1),
    );
    expect([blocked, swapped, buffers]).toEqual([0, 0, 0]);
    expect(running).toBeGreaterThanOrEqual(1);
    expect(running).toBeLessThan(10);
    expect(free).toBeLessThanOrEqual(limitKib);
    const shares = rest.slice(-5).reduce((sum, share) => sum + share, 0); // us sy id wa st
    expect(Math.abs(shares - 100)).toBeLessThanOrEqual(3);
    expect(await box.output('vmstat', '--stats')).toMatch(/^ +65536 K total memory$/m);
  });

  test('uptime', async () => {
    expect(await box.output('uptime', '--pretty')).toMatch(/^up [01] minutes?\n$/);
    const since = new Date(`${(await box.output('uptime', '--since')).trim()}Z`);
    const started = new Date(await docker('inspect', '--format', '{{.State.StartedAt}}', box.name));
    expect(Math.abs(since.getTime() - started.getTime())).toBeLessThan(3000);
    const loads = numbers(/load average: (.*)$/m.exec(await box.output('uptime'))?.[1]);
    expect(loads).toHaveLength(3);
  });

  test('slabtop, which finds nothing', async () => {
    expect(await box.output('slabtop', '--once')).toMatch(/Active \/ Total Objects .*: 0 \/ 0 /);
  });
});

describe('htop', () => {
  containerTestWith(command('htop'))('draws one CPU and the limit', async () => {
    const args = ['exec', '--tty', '--env', 'TERM=xterm', box.name];
    const screen = await docker(...args, '/busybox', 'timeout', '2', 'htop', '--no-color').catch(
      String, // timeout ends htop, and so with a status
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal is told begins with one
    const text = screen.replace(/\u001b(?:\[[^A-Za-z]*[A-Za-z]|[()].|[=>78])/g, ' ');
    expect(text).toMatch(/\/64\.0M/);
    expect(text).toMatch(/0K\/0K/);
    expect(text).toMatch(/CPU/);
    expect(text).toMatch(/Load average: +\d\.\d\d/);
  });

  test('finds in /proc what its meters are made of', async () => {
    const memInfo = await box.memInfo();
    for (const label of ['MemFree', 'MemAvailable', 'Cached', 'Buffers', 'Shmem', 'SReclaimable']) {
      expect(memInfo[label], label).toBeLessThanOrEqual(limitKib);
    }
    const { cpus, others } = parseStat(await box.read('/proc/stat'));
    expect(Object.keys(cpus)).toEqual(['cpu', 'cpu0']);
    expect(others['btime']).toBe(parseStat(await readFile('/proc/stat', 'utf8')).others['btime']);
    expect(others['procs_running']).toBeGreaterThanOrEqual(1);
    expect(others['procs_running']).toBeLessThan(10);
    expect(await box.read('/proc/loadavg')).toMatch(/^(\d+\.\d\d ){3}\d+\/\d+ \d+\n$/);
    expect((await box.uptime())[0]).toBeGreaterThan(0);
  });
});

describe('node_exporter', () => {
  const collectors = ['cpu', 'diskstats', 'loadavg', 'meminfo', 'pressure', 'stat', 'vmstat'];

  containerTestWith(command('prometheus-node-exporter'))('collects from every file', async () => {
    const wanted = collectors.map((name) => `--collector.${name}`).join(' ');
    const script = `
      prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.disable-defaults ${wanted} >/tmp/log 2>&1 &
      until /busybox wget -q -O - http://127.0.0.1:9100/metrics; do kill -0 $! || exit 1; sleep 0.1; done
      kill $!`;
    const metrics = await box.output('sh', '-c', script);
    for (const name of collectors) {
      expect(metrics).toContain(`node_scrape_collector_success{collector="${name}"} 1\n`);
    }
  });
});

describe('busybox', () => {
  test('top', async () => {
    const text = await box.output('/busybox', 'top', '-b', '-n', '1');
    const [used = 0, free = 0] = numbers(/^Mem: .*$/m.exec(text)?.[0]);
    expect(used + free).toBe(limitKib);
    expect(text).toMatch(/^Load average: \d\.\d\d \d\.\d\d \d\.\d\d \d+\/\d+ \d+$/m);
  });

  // sysinfo(2) is no file: its total is the host's, as README says, and so are the buffers in what it
  // calls buff/cache. What it reads is right.
  test('free, as far as it reads /proc', async () => {
    const text = await box.output('/busybox', 'free', '-k');
    const [total, , , , , available] = numbers(/^Mem:.*$/m.exec(text)?.[0]);
    expect(total).toBe(parseMemInfo(await readFile('/proc/meminfo', 'utf8'))['MemTotal']);
    expect(available).toBeLessThanOrEqual(limitKib);
  });
});

describe('psutil', () => {
  const ask = async (expression: string) => {
    const script = `import json, psutil; print(json.dumps(${expression}))`;
    return JSON.parse(await box.output('python3', '-c', script));
  };

  test('virtual_memory and swap_memory', async () => {
    const memory = await ask('psutil.virtual_memory()._asdict()');
    expect(memory.total).toBe(64 * mebibyte);
    for (const name of ['available', 'used', 'free', 'active', 'inactive', 'cached', 'slab']) {
      expect(memory[name], name).toBeLessThanOrEqual(64 * mebibyte);
      expect(memory[name], name).toBeGreaterThanOrEqual(0);
    }
    expect(await ask('psutil.swap_memory()[:4]')).toEqual([0, 0, 0, 0]);
  });

  test('cpu_count and cpu_percent', async () => {
    expect(await ask('[psutil.cpu_count(), psutil.cpu_count(logical=False)]')).toEqual([1, 1]);
    const [percent, each] = await ask('[psutil.cpu_percent(0.5), psutil.cpu_percent(percpu=True)]');
    expect(percent).toBeLessThanOrEqual(100);
    expect(each).toHaveLength(1);
  });

  test('boot_time is the host’s, which start times of processes count from', async () => {
    const { others } = parseStat(await readFile('/proc/stat', 'utf8'));
    expect(await ask('psutil.boot_time()')).toBe(others['btime']);
    const created = await ask('psutil.Process(1).create_time()');
    const started = new Date(await docker('inspect', '--format', '{{.State.StartedAt}}', box.name));
    expect(Math.abs(created * 1000 - started.getTime())).toBeLessThan(3000);
  });

  test('disk_io_counters are 0 for every disk before there is any I/O', async () => {
    await using idle = await containers().docker(flags);
    const script = `
      import json, psutil
      print(json.dumps([psutil.disk_io_counters(True, False), psutil.disk_io_counters(nowrap=False)]))`;
    const printed = await idle.output('python3', '-c', script.replace(/^ {6}/gm, ''));
    const [disks, all] = JSON.parse(printed);
    const lines = (await readFile('/proc/diskstats', 'utf8')).trimEnd().split('\n');
    expect(Object.keys(disks)).toEqual(lines.map((line) => line.trim().split(/ +/)[2]));
    expect(all).toEqual(expect.arrayContaining([0]));
  });

  test('disk_io_counters are what the cgroup has read and written', async () => {
    const write = 'dd if=/dev/zero of=/tmp/file bs=1M count=4 conv=fsync 2>/dev/null';
    const read = 'dd if=/tmp/file of=/dev/null bs=1M iflag=direct 2>/dev/null';
    await box.output('sh', '-c', `${write}; ${read}; rm /tmp/file`);
    const before = await (await ProcessCgroup.of(await box.pid())).ioBytes();
    const disks = 'psutil.disk_io_counters(perdisk=True, nowrap=False).values()';
    const sum = await ask(`sum(disk.read_bytes + disk.write_bytes for disk in ${disks})`);
    const after = await (await ProcessCgroup.of(await box.pid())).ioBytes();
    expect(sum).toBeGreaterThanOrEqual(before - 512 * 16);
    expect(sum).toBeLessThanOrEqual(after);
  });
});

describe('Node.js', () => {
  // totalmem, freemem, cpus, uptime and loadavg read /proc; availableParallelism asks the scheduler.
  test('os', async () => {
    const script = `
      const os = require('node:os');
      const cpus = os.cpus();
      const [uptime, load] = [os.uptime(), os.loadavg()];
      console.log(JSON.stringify({
        total: os.totalmem(), free: os.freemem(), cpus: cpus.length, uptime, load,
        ticks: Object.values(cpus[0].times).reduce((sum, ms) => sum + ms, 0),
      }))`;
    const os = JSON.parse(await box.output('/node', '-e', script));
    expect(os).toMatchObject({ total: 64 * mebibyte, cpus: 1 });
    expect(os.free).toBeLessThan(64 * mebibyte);
    expect(os.free).toBeGreaterThan(0);
    expect(os.uptime).toBeLessThan(300);
    expect(os.ticks).toBeLessThan((os.uptime + 1) * 1000);
    expect(os.load).toHaveLength(3);
    expect(os.load[0]).toBeLessThan(3);
  });
});

describe('counting CPUs', () => {
  test('lscpu', async () => {
    const { lscpu } = JSON.parse(await box.output('lscpu', '--json')) as {
      lscpu: { field: string; data: string }[];
    };
    const fields = Object.fromEntries(lscpu.map(({ field, data }) => [field, data]));
    expect(fields).toMatchObject({ 'CPU(s):': '1', 'On-line CPU(s) list:': '0' });
    expect(await box.output('lscpu', '--parse=CPU,ONLINE')).toMatch(/^0,Y$/m);
  });

  test('getconf', async () => {
    expect(await box.output('getconf', '_NPROCESSORS_ONLN')).toBe('1\n');
    expect(await box.output('getconf', '_NPROCESSORS_CONF')).toBe('1\n');
  });

  testOnTwo('nproc and taskset, whose answer is a set of CPUs and no file', async () => {
    await using container = await containers().docker(['--cpuset-cpus', '1']);
    expect(await container.output('nproc')).toBe('1\n');
    expect(await container.output('/busybox', 'nproc')).toBe('1\n');
    // The scheduler knows of no quota, nor does its affinity mask; newer ones than Debian 12's ask.
    expect([1, hostCpus().length]).toContain(Number(await box.output('nproc')));
  });
});

describe('sysstat', () => {
  containerTestWith(command('mpstat'))('mpstat', async () => {
    const text = await box.output('mpstat', '-P', 'ALL');
    expect(text).toMatch(/\(1 CPU\)/);
    expect(text).not.toMatch(/^\S+ +(?:AM +|PM +)?1 /m);
  });
});

describe('every answer', () => {
  test('is of the container that asked', async () => {
    await containers().expectNoFallback();
  });
});
