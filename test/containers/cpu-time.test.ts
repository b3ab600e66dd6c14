// SPDX-License-Identifier: Apache-2.0
// CPU time and load averages of containers that work.
import { describe, expect } from 'vitest';
import { ParentCgroup } from '../_support/cgroup-tree.js';
import type { Container } from '../_support/container.js';
import { containerTestWith, containerTest as test, useContainers } from '../_support/containers.js';
import { patience } from '../_support/patience.js';
import { parseStat } from '../_support/proc-text.js';
import { twoCpus } from '../_support/requirements.js';

const containers = useContainers();
const testOnTwo = containerTestWith(twoCpus);

const burn = ['/busybox', 'sh', '-c', 'while :; do :; done'];

/** Less than a container with half a CPU is throttled for, 50 ms; more than a reading takes, emulated too. */
const readingSec = 0.005 * Math.min(patience, 4);

/**
 * Replies twice, a second apart, with `/proc/stat` and the usage that its own cgroup has at the same
 * moment. A reading in whose middle the kernel throttled the container is taken again.
 */
const readTwice = `
  def usage_usec():
      try:
          with open('/sys/fs/cgroup/cpu.stat') as file:
              return int(file.readline().split()[1])
      except FileNotFoundError:
          with open('/sys/fs/cgroup/cpuacct/cpuacct.usage') as file:
              return int(file.read()) / 1000
  def sample():
      while True:
          begin = time.clock_gettime(time.CLOCK_BOOTTIME)
          usage = usage_usec()
          text = open('/proc/stat').read()
          end = time.clock_gettime(time.CLOCK_BOOTTIME)
          if end - begin < ${readingSec}:
              return {'atSec': begin, 'usageUsec': usage, 'stat': text}
          time.sleep(0.01)
  first = sample()
  reply(first)
  left = 1
  while left > 0:
      time.sleep(left)
      left = first['atSec'] + 1 - time.clock_gettime(time.CLOCK_BOOTTIME)
  reply(sample())
`;

interface Sample {
  atSec: number;
  usageUsec: number;
  stat: string;
}

/** Shares of one second: as `/proc/stat` has them, and the usage the kernel counted. */
async function measure(container: Container) {
  await using reader = container.python(readTwice);
  const [first, second] = [await reader.next<Sample>(), await reader.next<Sample>()];
  const before = parseStat(first.stat).cpus['cpu'];
  const after = parseStat(second.stat).cpus['cpu'];
  if (before === undefined || after === undefined) throw new Error('No line "cpu"');
  const total = after.total - before.total;
  const busy = after.user + after.system - before.user - before.system;
  return {
    total,
    busy: busy / total,
    steal: (after.steal - before.steal) / total,
    usage: (second.usageUsec - first.usageUsec) / 1e6 / (second.atSec - first.atSec),
    seconds: second.atSec - first.atSec,
  };
}

/** Burns half a CPU, however busy the machine is: it is held back by its quota and nothing else. */
async function startHalfBurner(parent: ParentCgroup): Promise<Container> {
  return await containers().docker(['--cpus', '0.5', '--cgroup-parent', parent.path], burn);
}

describe('a container that burns what a quota of half a CPU allows', () => {
  test('has used what the kernel counted, and the rest was stolen', async () => {
    await using parent = await ParentCgroup.create({ cpus: 0.6, isPreferred: true });
    await using container = await startHalfBurner(parent);
    const { total, busy, steal, usage, seconds } = await measure(container);
    expect(total).toBeGreaterThan(seconds * 100 * 0.95); // one CPU of 100 ticks a second
    expect(total).toBeLessThan(seconds * 100 * 1.05);
    expect(busy).toBeGreaterThan(usage * 0.9);
    expect(busy).toBeLessThan(usage * 1.1);
    expect(usage).toBeGreaterThan(0.4);
    expect(usage).toBeLessThan(0.6);
    expect(steal).toBeGreaterThan(0.3);
    expect(busy + steal).toBeLessThanOrEqual(1);
  });

  test('has that in top', async () => {
    await using parent = await ParentCgroup.create({ cpus: 0.6, isPreferred: true });
    await using container = await startHalfBurner(parent);
    const text = await container.output('top', '-b', '-n', '2', '-d', '1', '-w', '200');
    const line = [...text.matchAll(/^%Cpu.*$/gm)].at(-1)?.[0] ?? '';
    const shares = Object.fromEntries(
      [...line.matchAll(/([\d.]+) (us|sy|id|st)/g)].map(([, share, name]) => [name, Number(share)]),
    );
    const { us = 0, sy = 0, st = 0 } = shares;
    expect(us + sy).toBeGreaterThan(30);
    expect(us + sy).toBeLessThan(65);
    expect(st).toBeGreaterThan(20);
  });

  test('has that in psutil', async () => {
    await using parent = await ParentCgroup.create({ cpus: 0.6, isPreferred: true });
    await using container = await startHalfBurner(parent);
    const script = 'import psutil, json; print(json.dumps(psutil.cpu_times_percent(1)._asdict()))';
    const shares = JSON.parse(await container.output('python3', '-c', script));
    expect(shares.user + shares.system).toBeGreaterThan(30);
    expect(shares.user + shares.system).toBeLessThan(65);
    expect(shares.steal).toBeGreaterThan(20);
  });
});

describe('a container that does nothing', () => {
  test('is idle, whatever the host does', async () => {
    await using other = await containers().docker([], burn);
    await using container = await containers().docker(['--cpus', '1']);
    const { busy, steal, usage } = await measure(container);
    // What reading takes, and some ticks.
    expect(busy).toBeLessThan(usage * 1.1 + 0.05);
    expect(usage).toBeLessThan(0.4);
    expect(steal).toBeLessThan(0.1);
    expect(await other.read('/proc/loadavg')).not.toBe('');
  });
});

describe('counters', () => {
  testOnTwo('never go back while a quota changes', async () => {
    await using container = await containers().docker(['--cpus', '2'], burn);
    await using reader = container.python('while True: step(open("/proc/stat").read())');
    let last = parseStat(await reader.next<string>()).cpus;
    for (const cpus of ['0.2', '1.7', '0.5', '2']) {
      await container.update('--cpus', cpus);
      reader.go();
      const next = parseStat(await reader.next<string>()).cpus;
      for (const [name, columns] of Object.entries(next)) {
        for (const [column, value] of Object.entries(columns)) {
          const before = last[name]?.[column as keyof typeof columns] ?? 0;
          expect(value, `${name} ${column} at --cpus ${cpus}`).toBeGreaterThanOrEqual(before);
        }
      }
      last = { ...last, ...next };
    }
  });
});

describe('loadavg', () => {
  const read = async (container: Container) => {
    const match = /^([\d.]+) [\d.]+ [\d.]+ (\d+)\/(\d+) (\d+)\n$/;
    const text = await container.read('/proc/loadavg');
    const [, load1, running, total, lastPid] = (match.exec(text) ?? []).map(Number);
    return { load1, running, total, lastPid };
  };

  test('rises when two processes burn, and knows pids of the container only', async () => {
    await using container = await containers().docker(['--cpus', '1']);
    // What its start took counts at first, and fades.
    const calm = async () => (await read(container)).load1;
    expect((await read(container)).lastPid).toBeLessThan(100);
    await expect.poll(calm, { timeout: 20_000, interval: 1000 }).toBeLessThan(0.5);
    const idle = await read(container);

    const two = 'for i in 1 2; do while :; do :; done & done; wait';
    await using burners = container.python(`os.execv('/busybox', ['sh', '-c', args[0]])`, two);
    await expect
      .poll(async () => (await read(container)).load1, { timeout: 40_000, interval: 500 })
      .toBeGreaterThan((idle.load1 ?? 0) + 0.1);
    const busy = await read(container);
    expect(busy.running).toBeGreaterThanOrEqual(2);
    expect(busy.total).toBeGreaterThanOrEqual(4);
    // Each read is a process of some threads.
    expect(busy.lastPid).toBeLessThan((idle.lastPid ?? 0) + 200);
    expect(burners.child.exitCode).toBeNull();
  });
});

describe('every answer', () => {
  test('is of the container that asked', async () => {
    await containers().expectNoFallback();
  });
});
