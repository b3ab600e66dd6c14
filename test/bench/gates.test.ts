// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { gates, judge } from '../../bench/gates.js';
import type { DriverName, Measurement } from '../../bench/measurement.js';
import { scenarios } from '../../bench/scenarios.js';
import type { Place } from '../../bench/statistics.js';

const scenario = 'meminfo open 1';

/** Reads per second of each driver, in one round. */
function rates(values: Partial<Record<DriverName, number>>): Measurement[] {
  return Object.entries(values).map(([driver, readsPerSecond]) => ({
    ...{ scenario, driver: driver as DriverName, round: 1, values: { readsPerSecond } },
    errors: 0,
  }));
}

/** How the gate of a driver against a peer comes out. */
function outcome(driver: DriverName, peer: DriverName, measurements: readonly Measurement[]) {
  const isPlanned = (place: Place) =>
    place.scenario === scenario && [driver, peer].includes(place.driver);
  return judge(measurements, isPlanned).map((verdict) => verdict.outcome);
}

describe('judge()', () => {
  test('passes what reaches the target less the margin', () => {
    expect(outcome('lensfs-shared', 'lxcfs', rates({ 'lensfs-shared': 70, lxcfs: 100 }))).toEqual([
      'ok',
    ]);
  });

  test('fails what does not', () => {
    expect(outcome('lensfs-shared', 'lxcfs', rates({ 'lensfs-shared': 69, lxcfs: 100 }))).toEqual([
      'failed',
    ]);
  });

  test('fails what was to be measured and has not been', () => {
    expect(outcome('lensfs-shared', 'lxcfs', rates({ lxcfs: 100 }))).toEqual(['failed']);
  });

  test('says nothing of what was not to be measured', () => {
    expect(judge(rates({ 'lensfs-shared': 1, lxcfs: 100 }), () => false)).toEqual([]);
  });

  test('takes a bound in its own unit, with the margin of all', () => {
    const scenario = 'control API beside 8 readers, hammered by 0';
    const judged = (...values: number[]) => {
      const rounds = values.map((answerP99Msec, round): Measurement => {
        return { scenario, driver: 'lensfs-shared', round, values: { answerP99Msec }, errors: 0 };
      });
      return judge(rounds, (place) => place.scenario === scenario).map(
        (verdict) => verdict.outcome,
      );
    };
    expect(judged(71, 10, 90)).toEqual(['ok']);
    expect(judged(72, 10, 90)).toEqual(['failed']);
    expect(judged()).toEqual(['failed']);
  });

  test('tells a target that nobody can reach on this machine from a failure', () => {
    const slow = { 'lensfs-pinned': 60, lxcfs: 1 };
    const judged = (plain: number) =>
      outcome('lensfs-pinned', 'lxcfs', rates({ ...slow, 'plain-file': plain }));
    expect(judged(99)).toEqual(['out of reach']);
    expect(judged(100)).toEqual(['failed']);
  });

  test('takes a target for reachable when it is reached in every round', () => {
    const judged = (...plain: number[]) => {
      const rounds = plain.flatMap((rate, round) =>
        rates({ 'lensfs-pinned': 60, lxcfs: 1, 'plain-file': rate }).map((one) => ({
          ...one,
          round,
        })),
      );
      return outcome('lensfs-pinned', 'lxcfs', rounds);
    };
    expect(judged(100, 120, 130)).toEqual(['failed']);
    expect(judged(99, 120, 130)).toEqual(['out of reach']);
  });

  test('knows what rings can reach, and what of it must be reached', () => {
    const judged = (peer: DriverName, bare: number) =>
      outcome('lensfs-ring', peer, rates({ 'lensfs-ring': 20, lxcfs: 10, 'bare-ring': bare }));
    expect(judged('lxcfs', 29)).toEqual(['out of reach']);
    expect(judged('lxcfs', 30)).toEqual(['failed']);
    expect(judged('bare-ring', 31)).toEqual(['ok']);
    expect(judged('bare-ring', 32)).toEqual(['failed']);
  });

  test('knows the least CPU time that rings can take', () => {
    const scenario = 'stat open 8';
    const judged = (bare: number) => {
      const usec = { lxcfs: 100, 'lensfs-ring': 20, 'bare-ring': bare };
      const round = Object.entries(usec).map(([driver, cpuUsecPerRead]): Measurement => {
        const values = { cpuUsecPerRead };
        return { scenario, driver: driver as DriverName, round: 1, values, errors: 0 };
      });
      return judge(round, (place) => place.scenario === scenario)
        .filter(({ gate }) => gate.title.startsWith('lensfs-ring, stat open 8: daemon CPU'))
        .map((verdict) => verdict.outcome);
    };
    expect(judged(13)).toEqual(['out of reach']);
    expect(judged(12.5)).toEqual(['failed']);
  });
});

describe('gates', () => {
  test('are about scenarios that are measured with these drivers', () => {
    const places = gates.flatMap(({ numerator, denominator, ceiling }) => [
      ...(typeof numerator === 'number' ? [] : [numerator]),
      denominator,
      ...(ceiling === undefined ? [] : [ceiling.numerator, ceiling.denominator]),
    ]);
    const unknown = places.filter(
      (place) =>
        !scenarios.some(
          ({ name, drivers }) => name === place.scenario && drivers.includes(place.driver),
        ),
    );
    expect(unknown).toEqual([]);
  });

  test('have titles of their own', () => {
    expect(new Set(gates.map(({ title }) => title)).size).toBe(gates.length);
  });
});
