// SPDX-License-Identifier: Apache-2.0
// Command line -> what is to be done. Pure.
import { parseArgs } from 'node:util';
import { type DriverName, driverNames } from './measurement.js';
import { fullEffort, quickEffort, type Scenario, scenarios } from './scenarios.js';

export const usage = `Usage: npm run bench -- [OPTION ...]

  --quick            the essential scenarios, in less than three minutes
  --gate             fail when a ratio is below what bench/gates.ts asks for
  --scenario TEXT    only scenarios with this in their name; may be repeated
  --driver NAME      only this driver: ${driverNames.join(', ')}; may be repeated
  --rounds N         how often everything is measured
  --seconds S        how long one measurement by load takes
  --list             print the scenarios' names
`;

export interface Options {
  scenarios: readonly Scenario[];
  drivers: readonly DriverName[];
  rounds: number;
  loadSeconds: number;
  gate: boolean;
  list: boolean;
}

/** @throws {Error} that says what is wrong with the command line */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      gate: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      scenario: { type: 'string', multiple: true, default: [] },
      driver: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  const effort = values.quick ? quickEffort : fullEffort;
  const isWanted = ({ name, quick = false, onlyByName = false }: Scenario) =>
    values.scenario.length > 0
      ? values.scenario.some((text) => names(text, name)) && (quick || !values.quick)
      : values.quick
        ? quick
        : !onlyByName;
  const wanted = scenarios.filter(isWanted);
  if (wanted.length === 0) throw new Error(`No scenario "${values.scenario.join('", "')}"`);
  return {
    scenarios: values.quick ? wanted.map(quickOf) : wanted,
    drivers: chooseDrivers(values.driver, values.quick),
    rounds: positive('--rounds', values.rounds, effort.rounds),
    loadSeconds: positive('--seconds', values.seconds, effort.loadSeconds),
    gate: values.gate,
    list: values.list,
  };
}

function quickOf(scenario: Scenario): Scenario {
  const { quickDrivers: drivers = scenario.drivers, quickMaxRounds: maxRounds } = scenario;
  return { ...scenario, drivers, ...(maxRounds !== undefined && { maxRounds }) };
}

/** A text that is a whole name stands for that one alone. */
function names(text: string, name: string): boolean {
  return scenarios.some((scenario) => scenario.name === text) ? name === text : name.includes(text);
}

/** `--quick` leaves out the one that nothing is judged by. */
function chooseDrivers(names: readonly string[], isQuick: boolean): DriverName[] {
  const unknown = names.find((name) => !driverNames.some((known) => known === name));
  if (unknown !== undefined) {
    throw new Error(`No driver "${unknown}": one of ${driverNames.join(', ')}`);
  }
  if (names.length > 0) return driverNames.filter((name) => names.includes(name));
  return driverNames.filter((name) => !(isQuick && name === 'fuse-native'));
}

function positive(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (value > 0) return value;
  throw new Error(`${name}: expected a number above 0, got "${text}"`);
}
