// SPDX-License-Identifier: Apache-2.0
// Measures lensfs and LXCFS in turn, with clients in a container of their own, and prints medians.
// Both daemons run all the time; they take turns in every scenario, so that drift hits both.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TestCgroup } from '../../test/_support/cgroup.js';
import { run } from '../../test/_support/lensfs.js';
import { cpuUsec, type Driver, startLensfs, startLxcfs } from './drivers.js';
import { formatTable, type Measurement, summarize } from './report.js';
import { defaultRounds, limits, type Scenario, scenarios, secondsEach } from './scenarios.js';

const client = fileURLToPath(new URL('../../build/Release/lensfs-load', import.meta.url));
const results = fileURLToPath(new URL('../results/', import.meta.url));

/** What lensfs-load prints. */
interface LoadResult {
  reads: number;
  errors: number;
  bytes: number;
  seconds: number;
  p50_ns: number;
  p99_ns: number;
}

// Closing a file is told to the daemon later.
const settleMs = 100;

async function measure(driver: Driver, scenario: Scenario, round: number): Promise<Measurement> {
  await using cgroup = await TestCgroup.create(limits);
  const { file, access, clients } = scenario;
  const load = [`${driver.tree}/${file}`, access, `${clients}`, `${secondsEach}`];
  const before = await cpuUsec(driver);
  const { code, stdout, stderr } = await run(...cgroup.contain(client, ...load));
  if (code !== 0) throw new Error(`The load client failed: ${stderr}`);
  await sleep(settleMs);
  const used = (await cpuUsec(driver)) - before;
  const { reads, errors, bytes, seconds, p50_ns, p99_ns } = JSON.parse(stdout) as LoadResult;
  return {
    ...scenario,
    driver: driver.name,
    round,
    readsPerSecond: reads / seconds,
    cpuUsecPerRead: used / reads,
    p50Usec: p50_ns / 1000,
    p99Usec: p99_ns / 1000,
    bytesPerRead: bytes / reads,
    errors,
  };
}

async function describeMachine(): Promise<Record<string, unknown>> {
  const version = async (command: string, ...args: string[]) =>
    (await run(command, args)).stdout.trim().replaceAll('"', '');
  return {
    date: new Date().toISOString(),
    kernel: release(),
    cpu: cpus()[0]?.model,
    cpus: cpus().length,
    loadBefore: loadavg()[0],
    node: process.version,
    commit: await version('git', 'rev-parse', '--short', 'HEAD'),
    lxcfs: await version('lxcfs', '--version'),
    fuse: (await readFile('/proc/filesystems', 'utf8')).includes('fuse') ? 'kernel' : 'none',
    limits,
    secondsEach,
  };
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: String(defaultRounds) } },
});
const machine = await describeMachine();
await using lensfs = await startLensfs('lensfs', []);
await using rendering = await startLensfs('lensfs, freshness 0', ['--set', 'freshness=0']);
await using lxcfs = await startLxcfs();
const drivers = [lensfs, rendering, lxcfs];

const measurements: Measurement[] = [];
for (let round = 1; round <= Number(values.rounds); ++round) {
  process.stderr.write(`round ${round} of ${values.rounds}\n`);
  for (const scenario of scenarios) {
    for (const driver of drivers) measurements.push(await measure(driver, scenario, round));
  }
  drivers.push(...drivers.splice(0, 1)); // another one goes first
}

const rows = summarize(measurements);
const order = [lensfs.name, rendering.name, lxcfs.name];
const position = (row: { driver: string }) => order.indexOf(row.driver);
const sorted = scenarios.flatMap(({ file, access, clients }) =>
  rows
    .filter((row) => row.file === file && row.access === access && row.clients === clients)
    .sort((a, b) => position(a) - position(b)),
);
process.stdout.write(formatTable(sorted, lxcfs.name));
await mkdir(results, { recursive: true });
const path = `${results}side-by-side-${new Date().toISOString().slice(0, 10)}.json`;
await writeFile(path, `${JSON.stringify({ machine, medians: sorted, measurements }, null, 1)}\n`);
process.stderr.write(`Results are in ${path}\n`);
