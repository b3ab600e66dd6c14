// SPDX-License-Identifier: Apache-2.0
// Memory under limits that containers share, in cgroups of this machine.
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { NativeEngine } from '../../src/native/binding.js';
import { hasCgroups, TestCgroup } from '../_support/cgroup.js';
import { explainNumber } from '../_support/explained.js';
import { openNativeEngine } from '../_support/native-engine.js';
import { parseMemInfo } from '../_support/proc-text.js';
import { PythonProcess } from '../_support/python.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';

/** Holds so many MiB, tells when it does, then holds as many more as it is told. */
const holder = `
  held = [bytearray(b'x') * (int(args[0]) * 2**20)]
  while True:
      held.append(bytearray(b'x') * (int(step()) * 2**20))
`;

function memInfoOf(engine: NativeEngine, { path }: TestCgroup) {
  return parseMemInfo(engine.show('proc/meminfo', { cgroup: path }));
}

/** What is left of the limit of `cgroup`, in KiB, as the kernel tells it. */
async function roomKib(cgroup: TestCgroup, limitMib: number): Promise<number> {
  const names = ['memory.current', 'memory.usage_in_bytes'];
  const texts = names.map((name) => readFile(cgroup.file('memory', name), 'utf8'));
  const usage = Number(await Promise.any(texts));
  return limitMib * kibPerMebibyte - Math.ceil(usage / 1024);
}

describe.skipIf(!hasCgroups())('a memory limit that two containers share', () => {
  test('leaves one what the other does not use, and less when that grows', async () => {
    await using slice = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    await using container = await slice.child('container');
    await using neighbour = await slice.child('neighbour');
    await using held = new PythonProcess(holder, { args: ['40'], cgroup: neighbour });
    await held.next();
    await using engine = openNativeEngine();
    const before = memInfoOf(engine, container);
    const room = await roomKib(slice, 64);
    expect(before['MemTotal']).toBe(64 * kibPerMebibyte);
    expect(before['MemFree']).toBeGreaterThan(0);
    expect(Math.abs((before['MemFree'] ?? 0) - room)).toBeLessThan(kibPerMebibyte);
    expect(before['MemAvailable']).toBeLessThan(24 * kibPerMebibyte);
    held.go(6);
    await held.next();
    const after = memInfoOf(engine, container);
    expect((before['MemFree'] ?? 0) - (after['MemFree'] ?? 0)).toBeGreaterThan(5 * kibPerMebibyte);
  });

  test('is named by an explanation, with what uses it', async () => {
    await using slice = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    await using container = await slice.child('container', { memoryBytes: 60 * mebibyte });
    await using neighbour = await slice.child('neighbour');
    await using held = new PythonProcess(holder, { args: ['40'], cgroup: neighbour });
    await held.next();
    await using engine = openNativeEngine();
    const target = { cgroup: container.path };
    const directory = slice.file('memory', '').replace(/\/$/, '');
    for (const name of ['MemFree', 'MemAvailable']) {
      expect(explainNumber(engine, 'proc/meminfo', name, target).decidedBy).toBe(directory);
    }
    const own = container.file('memory', '').replace(/\/$/, '');
    expect(explainNumber(engine, 'proc/meminfo', 'MemTotal', target).decidedBy).toBe(own);
    const { memoryLevels } = engine.explain('proc/meminfo', target);
    expect(memoryLevels.map(({ cgroup, limitBytes }) => [cgroup, limitBytes])).toEqual([
      [container.path, 60 * mebibyte],
      [slice.path, 64 * mebibyte],
    ]);
    expect(memoryLevels[0]?.largest).toEqual([]);
    expect(memoryLevels[1]?.largest.map(({ name }) => name)).toEqual(['neighbour']);
    expect(memoryLevels[1]?.largest[0]?.usageBytes).toBeGreaterThan(40 * mebibyte);
  });

  test('marks the view of the one that has less room than its own limit says', async () => {
    await using slice = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    await using container = await slice.child('container', { memoryBytes: 60 * mebibyte });
    await using neighbour = await slice.child('neighbour');
    await using engine = openNativeEngine();
    const roomLevel = async () => {
      memInfoOf(engine, container);
      const views = await engine.views();
      return views.find(({ cgroup }) => cgroup === container.path)?.memoryRoomLevel;
    };
    expect(await roomLevel()).toBeNull();
    await using held = new PythonProcess(holder, { args: ['40'], cgroup: neighbour });
    await held.next();
    expect(await roomLevel()).toBe(slice.path);
  });

  test('is read once for all of them in a period of freshness, and its usage not at all without a limit', async () => {
    await using slice = await TestCgroup.create({ memoryBytes: 64 * mebibyte });
    const count = 30;
    const containers: TestCgroup[] = [];
    try {
      for (let index = 0; index < count; index += 1) {
        containers.push(await slice.child(`c${index}`, { memoryBytes: 32 * mebibyte }));
      }
      const freshnessSec = 30;
      await using engine = openNativeEngine(undefined, { freshnessUsec: freshnessSec * 1e6 });
      const begin = performance.now();
      for (const container of containers) memInfoOf(engine, container);
      const periods = Math.floor((performance.now() - begin) / 1000 / freshnessSec) + 1;
      expect(engine.status().memoryLevelReads).toBe(periods);
    } finally {
      for (const container of containers) await container[Symbol.asyncDispose]();
    }
  });
});
