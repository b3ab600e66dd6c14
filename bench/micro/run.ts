// SPDX-License-Identifier: Apache-2.0
// What one call of each parser and renderer costs: time, with the package "benchmark", and
// allocations. Writes bench/results/micro.json.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import Benchmark from 'benchmark';
import { describeMachine } from '../machine.js';
import { formatTable } from '../table.js';
import { type Case, makeCases } from './cases.js';

const results = fileURLToPath(new URL('../results/', import.meta.url));

/** So many that the way from JavaScript and back does not count. */
const callsEach = 1_000;
const longestSec = 1;
const nsecPerSec = 1e9;

interface Result {
  name: string;
  nsec: number;
  /** Half of the 95 % confidence interval. */
  percent: number;
  allocations: number;
}

function measure({ name, repeat }: Case): Result {
  const benchmark = new Benchmark(name, () => repeat(callsEach), { maxTime: longestSec });
  benchmark.run({ async: false });
  const { error, stats } = benchmark as Benchmark & { error?: Error };
  if (error !== undefined) throw new Error(`"${name}" failed`, { cause: error });
  return {
    name,
    nsec: (stats.mean / callsEach) * nsecPerSec,
    percent: stats.rme,
    allocations: repeat(callsEach) / callsEach,
  };
}

const measured = (await makeCases()).map(measure);
const lines = measured.map(({ name, nsec, percent, allocations }) => [
  ...[name, nsec.toFixed(0), `${percent.toFixed(1)} %`, `${allocations}`],
]);
const head = ['', 'ns/call', '±', 'allocations/call'];
process.stdout.write(formatTable({ lines: [head, ...lines], labels: 1 }));
await mkdir(results, { recursive: true });
const machine = await describeMachine();
await writeFile(`${results}micro.json`, `${JSON.stringify({ machine, measured }, null, 1)}\n`);
