// SPDX-License-Identifier: Apache-2.0
// LXCFS's trees of cgroups: limits above the container's root and its own count, those below it do not,
// for the first process and for one four levels down alike.
import { cpus as hostCpus } from 'node:os';
import { describe, expect } from 'vitest';
import { isUnified, type LevelLimits, TestHierarchy } from '../_support/cgroup-levels.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { cpuNumbers, parseMemInfo, parseStat } from '../_support/proc-text.js';
import { testWith, twoCpus } from '../_support/requirements.js';
import { Swap, swapSpace } from '../_support/swap.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';

const daemon = useDaemon();
const test = testWith(...mountRequirements);
const cpuTest = testWith(...mountRequirements, twoCpus);
const swapTest = testWith(...mountRequirements, swapSpace);

/** What both processes of the container read. */
async function readBoth(levels: readonly LevelLimits[], file: string): Promise<[string, string]> {
  await using hierarchy = await TestHierarchy.create(levels);
  return await hierarchy.readInside(`${daemon().tree}/${file}`);
}

// The first three are above the container's root, and it; the root is the third.
const memoryLevels: LevelLimits[] = [
  { memoryMib: 500, swapMib: 256 },
  { memoryMib: 600, swapMib: 300 },
  {},
  { memoryMib: 400, swapMib: 200 },
  {},
  { memoryMib: 900, swapMib: 450 },
  {},
];

describe('memory', () => {
  test('is the smallest limit from the root of the container upwards', async () => {
    for (const text of await readBoth(memoryLevels, 'proc/meminfo')) {
      expect(parseMemInfo(text)['MemTotal']).toBe(500 * kibPerMebibyte);
    }
  });

  swapTest(
    'and so is swap',
    async () => {
      await using _swap = await Swap.ensure(320 * mebibyte);
      for (const text of await readBoth(memoryLevels, 'proc/meminfo')) {
        expect(parseMemInfo(text)['SwapTotal']).toBe(256 * kibPerMebibyte);
      }
      for (const text of await readBoth(memoryLevels, 'proc/swaps')) {
        expect(text).toMatch(/^none +virtual\s+262144\s/m);
      }
    },
    120_000,
  );
});

describe('CPUs', () => {
  // LXCFS's numbers, where there are four CPUs and v2: a v1 cgroup is refused more than its parent has.
  const hasFour = isUnified && hostCpus().length >= 4;
  const sets = hasFour ? ['0,2,3', '0-3', '0,2', '0-3'] : ['0-1', '0-1', '0', '0'];
  const visible = hasFour ? [0, 2, 3] : [0, 1];

  cpuTest('are the set of the root of the container', async () => {
    const [first, second, below, deeper] = sets;
    const levels = [
      { cpuset: first },
      { cpuset: second },
      {},
      { cpuset: below },
      {},
      { cpuset: deeper },
      {},
    ] as LevelLimits[];
    for (const text of await readBoth(levels, 'proc/stat')) {
      expect(cpuNumbers(parseStat(text).cpus)).toEqual(visible);
    }
  });

  cpuTest('are the smallest quota from the root of the container upwards', async () => {
    const [first, second, below, deeper] = hasFour ? [3, 4, 2, 4] : [1, 1, 0.5, 0.5];
    const levels = [
      { cpus: first },
      { cpus: second },
      {},
      { cpus: below },
      {},
      { cpus: deeper },
      {},
    ] as LevelLimits[];
    for (const text of await readBoth(levels, 'proc/stat')) {
      expect(cpuNumbers(parseStat(text).cpus)).toHaveLength(hasFour ? 3 : 1);
    }
  });
});
