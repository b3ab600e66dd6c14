// SPDX-License-Identifier: Apache-2.0
// Measures, prints a table, and writes bench/results/latest.{json,md,svg}.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Guard } from '../test/_support/guard.js';
import { hasRings } from '../test/_support/rings.js';
import { TempDir } from '../test/_support/temp-dir.js';
import { formatSvg } from './chart.js';
import { judge } from './gates.js';
import { describeMachine } from './machine.js';
import type { Measurement } from './measurement.js';
import { type Options, parseOptions, usage } from './options.js';
import { formatMarkdown, formatText, type Run } from './report.js';
import { measureRound } from './rounds.js';
import type { Scenario } from './scenarios.js';
import type { Place } from './statistics.js';

const results = fileURLToPath(new URL('./results/', import.meta.url));

/** What is left when this process is killed: mounts below a directory, the directory, cgroups. */
const cleanUp = `
grep -F " $1/" /proc/self/mounts | cut -d' ' -f2 | sort -r | xargs -r umount -l
rm -rf "$1"
for directory in /sys/fs/cgroup/lensfs-test-$2-* /sys/fs/cgroup/*/lensfs-test-$2-*; do
  [ ! -d "$directory" ] || remove_cgroups "/\${directory##*/}"
done`;

async function measureAll(options: Options): Promise<Measurement[]> {
  await using dir = await TempDir.create();
  await using _guard = new Guard(cleanUp, dir.path, `${process.pid}`);
  process.env['TMPDIR'] = dir.path; // for all directories that are made from here on
  const measurements: Measurement[] = [];
  for (let round = 1; round <= options.rounds; ++round) {
    const onScenario = ({ name }: { name: string }) =>
      process.stderr.write(`round ${round} of ${options.rounds}: ${name}\n`);
    const isDue = ({ maxRounds = options.rounds }: Scenario) => round <= maxRounds;
    const scenarios = options.scenarios.filter(isDue);
    measurements.push(...(await measureRound({ ...options, scenarios, onScenario }, round)));
  }
  return measurements;
}

async function write(run: Run, options: Options): Promise<void> {
  const { rounds, loadSeconds } = options;
  await mkdir(results, { recursive: true });
  const json = JSON.stringify({ ...run, rounds, loadSeconds }, null, 1);
  await writeFile(`${results}latest.json`, `${json}\n`);
  await writeFile(`${results}latest.md`, formatMarkdown(run));
  await writeFile(`${results}latest.svg`, formatSvg(run));
  process.stderr.write(`Written: ${results}latest.{json,md,svg}\n`);
}

/** What lensfs failed to answer is no figure to be compared, it is a failure. */
function lensfsErrors(measurements: readonly Measurement[]): number {
  return measurements
    .filter(({ driver }) => driver.startsWith('lensfs'))
    .reduce((sum, { errors }) => sum + errors, 0);
}

async function main(options: Options): Promise<number> {
  if (options.list) {
    process.stdout.write(options.scenarios.map(({ name }) => `${name}\n`).join(''));
    return 0;
  }
  const machine = await describeMachine();
  const measurements = await measureAll(options);
  const isPlanned = ({ driver, scenario }: Place) =>
    options.drivers.includes(driver) && options.scenarios.some(({ name }) => name === scenario);
  const verdicts = judge(measurements, isPlanned);
  const run = { machine, scenarios: options.scenarios, measurements, verdicts };
  process.stdout.write(formatText(run));
  await write(run, options);
  if (!options.gate) return 0;
  const errors = lensfsErrors(measurements);
  const failed = verdicts.filter(({ outcome }) => outcome === 'failed').length;
  process.stderr.write(`${verdicts.length} gates, ${failed} failed; ${errors} failed reads\n`);
  return failed === 0 && errors === 0 && verdicts.length > 0 ? 0 : 1;
}

/** Without what this kernel does not have. */
function readOptions(): Options | undefined {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (hasRings()) return options;
    return { ...options, drivers: options.drivers.filter((name) => !name.endsWith('-ring')) };
  } catch (error) {
    process.stderr.write(`${String(error)}\n${usage}`);
    return undefined;
  }
}

const options = readOptions();
process.exitCode = options === undefined ? 2 : await main(options);
