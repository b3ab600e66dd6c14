// SPDX-License-Identifier: Apache-2.0
// The checklist of value bugs that LXCFS has had, CPUs and CPU time: points 10 to 20.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { NativeEngine, NativeOptions } from '../../src/native/binding.js';
import { cpuInfoFixture } from '../_support/core-texts.js';
import { openNativeEngine } from '../_support/native-engine.js';
import { type CpuColumns, cpuNumbers, parseCpuList, parseStat } from '../_support/proc-text.js';
import { Specimen } from '../_support/specimen.js';

const ticksPerSec = 100;

/** A cpu.stat of v2. */
function cpuStat(sec: { user?: number; system?: number; nice?: number; throttled?: number }) {
  const { user = 0, system = 0, nice, throttled = 0 } = sec;
  const lines: [string, number][] = [
    ['usage_usec', user + system],
    ['user_usec', user],
    ['system_usec', system],
    ['throttled_usec', throttled],
  ];
  if (nice !== undefined) lines.splice(3, 0, ['nice_usec', nice]);
  return lines.map(([key, value]) => `${key} ${value * 1e6}`).join('\n');
}

/** An engine as the daemon has it: a clock that goes on, counters that are kept. */
function openEngine(specimen: Specimen, options: Partial<NativeOptions> = {}): NativeEngine {
  return openNativeEngine(specimen.host.tree, { onFailure: 'host', ...options });
}

describe('CPUs', () => {
  test('(10) are of the effective cpuset, not of the configured one', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({
      'cpuset.cpus': '0-3',
      'cpuset.cpus.effective': '1-2',
      'cpu.max': 'max 100000',
    });
    expect(v2.processors()).toEqual([1, 2]);
    await using v1 = await Specimen.unpack('v1');
    await v1.setCgroup({
      'cpuset.cpus': '0-3',
      'cpuset.effective_cpus': '2-3',
      'cpu.cfs_quota_us': -1,
    });
    expect(v1.processors()).toEqual([2, 3]);
  });

  test('(12) have the same numbers in cpuinfo, stat and sysfs', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({ 'cpuset.cpus.effective': '1,3', 'cpu.max': '180000 100000' });
    for (const [numbering, numbers] of [
      ['physical', [1, 3]],
      ['virtual', [0, 1]],
    ] as const) {
      const policy = { cpu_numbering: numbering };
      expect(v2.processors(policy)).toEqual(numbers);
      expect(cpuNumbers(v2.stat(policy).cpus)).toEqual(numbers);
      for (const name of ['online', 'possible', 'present']) {
        const list = v2.read(`sys/devices/system/cpu/${name}`, policy);
        expect(parseCpuList(list)).toEqual(numbers);
      }
    }
  });

  test('(16) are cut by the smallest quota of all ancestors, of the cpu hierarchy', async () => {
    await using v2 = await Specimen.unpack('v2');
    const all = { 'cpuset.cpus.effective': '0-3' };
    await v2.setCgroup({ ...all, 'cpu.max': '300000 100000' });
    expect(v2.processors()).toEqual([0, 1, 2]);
    await v2.host.tree.write('cgroup/docker/cpu.max', '110000 100000\n');
    expect(v2.processors()).toEqual([0, 1]);
    await v2.setCgroup({ ...all, 'cpu.max': 'max 100000' }); // the ancestor's still is one
    expect(v2.processors()).toEqual([0, 1]);
    await v2.setCgroup({ 'cpu.max': '50000 100000' });
    expect(v2.processors()).toEqual([0]);

    await using v1 = await Specimen.unpack('v1');
    await v1.setCgroup({ 'cpuset.effective_cpus': '0-3', 'cpu.cfs_quota_us': 250_000 });
    expect(v1.processors()).toEqual([0, 1, 2]);
    await v1.host.tree.write('cgroup/cpu,cpuacct/docker/cpu.cfs_quota_us', '150000\n');
    expect(v1.processors()).toEqual([0, 1]);
  });

  test('(19) leave what follows the CPUs in cpuinfo', async () => {
    for (const [machine, lastLine] of [
      ['arm-4cpu', /^Serial\s*: \w+$/m],
      ['ppc64le-4cpu', /^machine\s*: CHRP IBM pSeries/m],
    ] as const) {
      await using v2 = await Specimen.unpack('v2');
      await v2.host.tree.write('proc/cpuinfo', cpuInfoFixture(machine));
      await v2.setCgroup({ 'cpuset.cpus.effective': '0-3', 'cpu.max': '150000 100000' });
      expect(v2.processors()).toEqual([0, 1]);
      expect(v2.read('proc/cpuinfo')).toMatch(lastLine);
    }
  });

  test('(20) have as many siblings and cores as are shown', async () => {
    await using v2 = await Specimen.unpack('v2'); // one package of two cores of two threads each
    await v2.setCgroup({ 'cpuset.cpus.effective': '0-3', 'cpu.max': '300000 100000' });
    const values = (text: string, key: string) =>
      [...text.matchAll(new RegExp(`^${key}\\s*: (\\d+)$`, 'gm'))].map(([, value]) =>
        Number(value),
      );
    const three = v2.read('proc/cpuinfo');
    expect(values(three, 'siblings')).toEqual([3, 3, 3]);
    const cores = new Set(values(three, 'core id')).size;
    expect(values(three, 'cpu cores')).toEqual([cores, cores, cores]);
    await v2.setCgroup({ 'cpu.max': '50000 100000' });
    expect(values(v2.read('proc/cpuinfo'), 'siblings')).toEqual([1]);
    expect(values(v2.read('proc/cpuinfo'), 'cpu cores')).toEqual([1]);
  });
});

describe('CPU time', () => {
  test('(11) is of the container on v2 too', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({ 'cpu.stat': cpuStat({ user: 3, system: 2 }) });
    const { cpu, cpu0 } = v2.stat().cpus;
    expect(cpu).toMatchObject({ user: 3 * ticksPerSec, system: 2 * ticksPerSec });
    expect(cpu0).toEqual(cpu);
  });

  test('(13) has steal for what was throttled, nice, and no iowait', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({ 'cpu.stat': cpuStat({ user: 5, nice: 2, system: 1, throttled: 4 }) });
    expect(v2.stat().cpus['cpu']).toMatchObject({ user: 300, nice: 200, system: 100, steal: 400 });
    expect(v2.read('proc/stat')).toMatch(/^cpu {2}300 200 100 \d+ 0 0 0 400 0 0$/m);

    await using v1 = await Specimen.unpack('v1');
    await v1.setCgroup({
      'cpu.stat': `nr_periods 9\nnr_throttled 7\nthrottled_time ${3e9}`,
      'cpuacct.usage_user': 2e9,
      'cpuacct.usage_sys': 1e9,
    });
    expect(v1.read('proc/stat')).toMatch(/^cpu {2}\d+ 0 \d+ \d+ 0 0 0 300 0 0$/m);
  });

  test('(14) counts guest time once', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setHostLines('proc/stat', { 'cpu ': 'cpu  900 0 100 5000 0 0 0 0 800 0' });
    await v2.setCgroup({ 'cpu.stat': cpuStat({ user: 2 }) });
    const { cpu } = v2.stat().cpus;
    const age = Number(v2.read('proc/uptime').split(' ')[0]) * ticksPerSec;
    expect(cpu).toMatchObject({ user: 200, system: 0 });
    expect(v2.read('proc/stat')).toMatch(/^cpu .* 0 0$/m);
    expect(Math.abs((cpu?.total ?? 0) - age)).toBeLessThanOrEqual(2);
  });

  test('(15) never goes back, through changes of quota and cpuset', async () => {
    await using v2 = await Specimen.unpack('v2');
    await using engine = openEngine(v2);
    let last: Record<string, CpuColumns> = {};
    const steps = [
      ['0-3', 'max', 0],
      ['0-1', '150000', 1],
      ['0-3', '50000', 2],
      ['2-3', 'max', 2],
      ['0-3', '400000', 9],
      ['0', '100000', 9],
      ['0-3', 'max', 10],
    ] as const;
    for (const [set, quota, user] of steps) {
      await v2.setCgroup({
        'cpuset.cpus.effective': set,
        'cpu.max': `${quota} 100000`,
        'cpu.stat': cpuStat({ user, throttled: user / 2 }),
      });
      await sleep(30); // the engine's clock is the machine's: three ticks
      const { cpus } = parseStat(engine.show('proc/stat', { pid: v2.pid }));
      for (const [name, columns] of Object.entries(cpus)) {
        for (const [column, before] of Object.entries(last[name] ?? {})) {
          const value = columns[column as keyof CpuColumns];
          expect(value, `${name} ${column} of ${set}, ${quota}`).toBeGreaterThanOrEqual(before);
        }
      }
      last = { ...last, ...cpus };
    }
  });

  test('(17) begins when the container does, not with the first read', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({
      'cpuset.cpus.effective': '0-3',
      'cpu.max': '200000 100000',
      'cpu.stat': cpuStat({ user: 6, system: 4 }),
    });
    const age = Number(v2.read('proc/uptime').split(' ')[0]) * ticksPerSec;
    const { cpu } = v2.stat().cpus;
    expect(cpu).toMatchObject({ user: 600, system: 400 });
    expect(age).toBeGreaterThan(1000);
    expect(Math.abs((cpu?.total ?? 0) - 2 * age)).toBeLessThanOrEqual(4);
  });

  test('(18) is the host’s when it cannot be read, and never an empty file', async () => {
    await using v2 = await Specimen.unpack('v2');
    const host = await v2.host.tree.read('proc/stat');
    await v2.setCgroup({ 'cpuset.cpus.effective': 'none of your business' });
    await using engine = openEngine(v2);
    expect(engine.show('proc/stat', { pid: v2.pid })).toBe(host);
    expect(engine.show('proc/cpuinfo', { pid: v2.pid })).toMatch(/^processor\s*: 0$/m);
    expect(engine.show('sys/devices/system/cpu/online', { pid: v2.pid })).toBe('0-3\n');
    expect(engine.status().fallbacks).toContainEqual(
      expect.objectContaining({ file: expect.stringContaining('proc/stat'), count: 1 }),
    );
    engine.configure({ onFailure: 'error' });
    expect(() => engine.show('proc/stat', { pid: v2.pid })).toThrow(/EIO/);
  });
});
