// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { core } from '../../_support/testing-addon.js';

const fixedOne = 2048n;
const decay = [1884n, 2014n, 2037n];

/** kernel/sched/loadavg.c, calc_load(), once. */
function calcLoad(load: bigint, exp: bigint, active: bigint): bigint {
  const sum = load * exp + active * (fixedOne - exp);
  return (active >= load ? sum + fixedOne - 1n : sum) / fixedOne;
}

describe('AdvanceLoadAverage()', () => {
  it('does one step as the kernel does', () => {
    expect(core.advanceLoadAverage([0, 0, 0], 1, 1)).toEqual({
      fixed: [164n, 34n, 11n],
      hundredths: [8n, 2n, 1n],
    });
  });

  it('does many steps one after the other', () => {
    const load = fc.bigInt({ min: 0n, max: 1n << 30n });
    const tasks = fc.bigInt({ min: 0n, max: 5_000n });
    fc.assert(
      fc.property(load, tasks, fc.nat({ max: 300 }), (start, active, periods) => {
        const expected = decay.map((exp) => {
          let value = start;
          for (let period = 0; period < periods; ++period) {
            value = calcLoad(value, exp, active * fixedOne);
          }
          return value;
        });
        expect(core.advanceLoadAverage([start, start, start], active, periods).fixed).toEqual(
          expected,
        );
      }),
    );
  });

  it('reaches the number of tasks, and 0, after any gap', () => {
    const forever = 2n ** 64n - 1n;
    expect(core.advanceLoadAverage([0, 0, 0], 7, forever).hundredths).toEqual([700n, 700n, 700n]);
    expect(core.advanceLoadAverage([99999, 99999, 99999], 0, forever).fixed).toEqual([0n, 0n, 0n]);
  });

  it('changes nothing in no time', () => {
    expect(core.advanceLoadAverage([5, 6, 7], 9, 0).fixed).toEqual([5n, 6n, 7n]);
  });

  it('stays between the load and the tasks, without overflow', () => {
    const any = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(any, any, (load, tasks) => {
        const limit = 2n ** 51n; // more tasks than any machine has
        const [one] = core.advanceLoadAverage([load, load, load], tasks, 1).fixed;
        expect(one).toBeLessThanOrEqual(limit);
      }),
    );
  });
});

describe('LoadAverage.Hundredths()', () => {
  it.each([
    [0, 0n],
    [10, 0n],
    [11, 1n], // 11 + 2048 / 200 is the first that prints as 0.01
    [2048, 100n],
    [2047, 100n],
    [3072, 150n],
  ])('rounds %d as /proc/loadavg does', (fixed, hundredths) => {
    expect(core.advanceLoadAverage([fixed, 0, 0], 0, 0).hundredths[0]).toBe(hundredths);
  });
});

describe('SeedLoadAverage()', () => {
  it('is the average number of busy CPUs', () => {
    expect(core.seedLoadAverage(15_000_000, 10_000_000).fixed).toEqual([3072n, 3072n, 3072n]);
    expect(core.seedLoadAverage(0, 10_000_000).fixed).toEqual([0n, 0n, 0n]);
  });

  it('is 0 at an age of 0', () => {
    expect(core.seedLoadAverage(5, 0).fixed).toEqual([0n, 0n, 0n]);
  });

  it('does not overflow after years on many CPUs', () => {
    const year = 365n * 86_400n * 1_000_000n;
    expect(core.seedLoadAverage(20n * year * 4_000n, 20n * year).hundredths[0]).toBe(400_000n);
  });
});
