// SPDX-License-Identifier: Apache-2.0
// Rounds -> medians with their spread. Pure.
import type { DriverName, Measurement, Metric } from './measurement.js';

/** Of one figure over all rounds. */
export interface Spread {
  median: number;
  lowest: number;
  highest: number;
}

/** One driver in one scenario. */
export interface Row {
  scenario: string;
  driver: DriverName;
  rounds: number;
  values: Partial<Record<Metric, Spread>>;
  /** Added up over all rounds. */
  errors: number;
  /** What was said, each once. */
  notes: string[];
}

/** One figure of one driver in one scenario. */
export interface Place {
  driver: DriverName;
  scenario: string;
}

/** Undefined for no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (lowest === undefined || highest === undefined) return undefined;
  if (low === undefined || high === undefined) return undefined;
  return { median: (low + high) / 2, lowest, highest };
}

/** A row for each driver in each scenario, in the order they first come in. */
export function summarize(measurements: readonly Measurement[]): Row[] {
  const groups = new Map<string, Measurement[]>();
  for (const one of measurements) {
    const key = JSON.stringify([one.scenario, one.driver]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined ? [] : [summarizeOne(first, group)];
  });
}

function summarizeOne({ scenario, driver }: Measurement, group: readonly Measurement[]): Row {
  const values: Row['values'] = {};
  const names = new Set(group.flatMap((one) => Object.keys(one.values) as Metric[]));
  for (const name of names) {
    const spread = spreadOf(group.flatMap((one) => one.values[name] ?? []));
    if (spread !== undefined) values[name] = spread;
  }
  return {
    ...{ scenario, driver, rounds: group.length, values },
    errors: group.reduce((sum, one) => sum + one.errors, 0),
    notes: [...new Set(group.flatMap((one) => one.note ?? []))],
  };
}

/**
 * How one figure compares to another one of the same round, over all rounds that have both: drift
 * from round to round is in neither. A number is the same in each round.
 */
export function pairedRatio(
  measurements: readonly Measurement[],
  metric: Metric,
  numerator: Place | number,
  denominator: Place,
): Spread | undefined {
  const byRound = (place: Place) =>
    new Map(
      measurements
        .filter((one) => one.driver === place.driver && one.scenario === place.scenario)
        .map((one) => [one.round, one.values[metric]]),
    );
  const below = byRound(denominator);
  const above =
    typeof numerator === 'number'
      ? new Map([...below.keys()].map((round) => [round, numerator]))
      : byRound(numerator);
  const ratios = [...above].flatMap(([round, value]) => {
    const other = below.get(round);
    return value === undefined || other === undefined || other === 0 ? [] : [value / other];
  });
  return spreadOf(ratios);
}
