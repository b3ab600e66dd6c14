// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import type { DriverName, Measurement, Values } from '../../bench/measurement.js';
import { pairedRatio, spreadOf, summarize } from '../../bench/statistics.js';

function measured(driver: DriverName, round: number, values: Values, errors = 0): Measurement {
  return { scenario: 'meminfo open 1', driver, round, values, errors };
}

const place = (driver: DriverName) => ({ driver, scenario: 'meminfo open 1' });

describe('spreadOf()', () => {
  test('takes the middle of an odd number of values', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, lowest: 1, highest: 9 });
  });

  test('takes the mean of the two in the middle of an even number', () => {
    expect(spreadOf([8, 1, 4, 2])).toEqual({ median: 3, lowest: 1, highest: 8 });
  });

  test('has nothing to say of no values', () => {
    expect(spreadOf([])).toBeUndefined();
  });
});

describe('summarize()', () => {
  test('gives a row for each driver in each scenario, in order', () => {
    const other = { ...measured('lxcfs', 1, {}), scenario: 'stat open 1' };
    const rows = summarize([measured('lxcfs', 1, {}), measured('host-proc', 1, {}), other]);
    expect(rows.map(({ scenario, driver }) => `${scenario} ${driver}`)).toEqual([
      'meminfo open 1 lxcfs',
      'meminfo open 1 host-proc',
      'stat open 1 lxcfs',
    ]);
  });

  test('takes medians, adds up errors and says each note once', () => {
    const [row] = summarize([
      { ...measured('lxcfs', 1, { p50Usec: 10 }, 1), note: 'ended by SIGABRT' },
      { ...measured('lxcfs', 2, { p50Usec: 30 }, 2), note: 'ended by SIGABRT' },
      measured('lxcfs', 3, { p50Usec: 20 }),
    ]);
    expect(row).toMatchObject({ rounds: 3, errors: 3, notes: ['ended by SIGABRT'] });
    expect(row?.values).toEqual({ p50Usec: { median: 20, lowest: 10, highest: 30 } });
  });

  test('leaves out what a round does not have', () => {
    const [row] = summarize([measured('lxcfs', 1, { p50Usec: 10 }), measured('lxcfs', 2, {})]);
    expect(row?.values.p50Usec?.median).toBe(10);
    expect(row?.values.p99Usec).toBeUndefined();
  });
});

describe('pairedRatio()', () => {
  test('compares within rounds, so that drift cancels', () => {
    // The machine gets ten times slower, and lensfs stays twice as fast.
    const measurements = [1_000, 300, 100].flatMap((rate, index) => [
      measured('lensfs-shared', index + 1, { readsPerSecond: 2 * rate }),
      measured('lxcfs', index + 1, { readsPerSecond: rate }),
    ]);
    expect(
      pairedRatio(measurements, 'readsPerSecond', place('lensfs-shared'), place('lxcfs')),
    ).toEqual({ median: 2, lowest: 2, highest: 2 });
  });

  test('leaves out rounds that have only one of them, or nothing to divide by', () => {
    const measurements = [
      measured('lensfs-shared', 1, { readsPerSecond: 8 }),
      measured('lensfs-shared', 2, { readsPerSecond: 6 }),
      measured('lensfs-shared', 3, { readsPerSecond: 4 }),
      measured('lxcfs', 2, { readsPerSecond: 0 }),
      measured('lxcfs', 3, { readsPerSecond: 1 }),
    ];
    expect(
      pairedRatio(measurements, 'readsPerSecond', place('lensfs-shared'), place('lxcfs'))?.median,
    ).toBe(4);
  });

  test('has nothing to say when there is no such round', () => {
    expect(pairedRatio([], 'p50Usec', place('lxcfs'), place('host-proc'))).toBeUndefined();
  });
});
