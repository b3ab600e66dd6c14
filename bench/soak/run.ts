// SPDX-License-Identifier: Apache-2.0
// A daemon in a crowd of containers that come and go, with a worker that is killed now and then. Fails for
// a wrong read, and when memory, descriptors, threads or views grow. Writes bench/results/soak.{json,svg}.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { controlSocketName } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import type { StatusReply } from '../../src/control/replies.js';
import { RunningDaemon } from '../../test/_support/lensfs.js';
import { TempDir } from '../../test/_support/temp-dir.js';
import { waitUntil } from '../../test/_support/wait.js';
import { formatSoakSvg } from './chart.js';
import { Churn, type ChurnReport } from './churn.js';
import { type Sample, trends } from './samples.js';

const usage = 'Usage: npm run soak -- [--minutes N]      30 when not given\n';
const results = fileURLToPath(new URL('../results/', import.meta.url));
const perSecond = 20;
const deathsPerRun = 6;

const files = [
  ...['meminfo', 'stat', 'cpuinfo', 'uptime', 'loadavg', 'swaps', 'vmstat', 'slabinfo'],
  ...['pressure/cpu', 'pressure/memory', 'pressure/io'],
].map((name) => `proc/${name}`);
const cpuFiles = ['online', 'possible', 'cpu0/topology/core_id'].map(
  (name) => `sys/devices/system/cpu/${name}`,
);

async function statusOf({ runDir }: RunningDaemon): Promise<StatusReply> {
  return await ask(join(runDir, controlSocketName), 'status');
}

async function sample(daemon: RunningDaemon, seconds: number): Promise<Sample> {
  const pid = await daemon.workerPid();
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  return {
    seconds,
    rssMib: field('VmRSS') / 1024,
    threads: field('Threads'),
    descriptors: (await readdir(`/proc/${pid}/fd`)).length,
    views: (await statusOf(daemon)).views,
  };
}

interface Soak {
  readonly samples: readonly Sample[];
  readonly deathsSec: readonly number[];
  readonly last: ChurnReport;
  readonly fallbacks: unknown;
}

async function soak(seconds: number): Promise<Soak> {
  await using daemon = await RunningDaemon.start(['--set', 'workers.deaths=1000']);
  const paths = [...files, ...cpuFiles].map((file) => join(daemon.tree, file));
  await using churn = await Churn.start(paths, perSecond);
  const samples: Sample[] = [];
  const deathsSec: number[] = [];
  let last: ChurnReport;
  for (let second = 1; ; second += 1) {
    last = await churn.next();
    const isOver = second >= seconds || last.wrong.length > 0;
    if (isOver) break;
    samples.push(await sample(daemon, second));
    if (second >= ((deathsSec.length + 1) * seconds) / (deathsPerRun + 1)) {
      process.kill(await daemon.workerPid(), 'SIGKILL');
      deathsSec.push(second);
      await daemon.logged('Serving again', deathsSec.length);
    }
    if (second % 30 === 0) {
      process.stderr.write(`${second} s: ${last.containers} containers, ${last.reads} reads\n`);
    }
  }
  await churn.stop();
  await waitUntil('all handles are closed', async () => (await statusOf(daemon)).handles === 0);
  const { fallbacks } = await statusOf(daemon);
  return { samples, deathsSec, last, fallbacks };
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    process.stderr.write(`--minutes: expected a number above 0, got "${values.minutes}"\n${usage}`);
    return 2;
  }
  await using dir = await TempDir.create();
  process.env['TMPDIR'] = dir.path;
  const run = await soak(Math.round(minutes * 60));
  const found = trends(run.samples);
  await mkdir(results, { recursive: true });
  const title = `${minutes} min: ${run.last.containers} containers, ${run.last.reads} reads, ${run.deathsSec.length} killed workers`;
  await writeFile(`${results}soak.svg`, formatSoakSvg(title, run.samples, run.deathsSec));
  await writeFile(`${results}soak.json`, `${JSON.stringify({ ...run, trends: found }, null, 1)}\n`);
  for (const { line, middle, end, isFlat } of found) {
    const verdict = isFlat ? 'flat' : 'GROWS';
    process.stdout.write(
      `${line}: ${middle.toFixed(1)} in the middle, ${end.toFixed(1)} at the end: ${verdict}\n`,
    );
  }
  for (const wrong of run.last.wrong) process.stdout.write(`wrong: ${wrong}\n`);
  process.stdout.write(
    `${title}, ${run.last.wrong.length} wrong\nWritten: ${results}soak.{json,svg}\n`,
  );
  const isEnough = run.last.containers >= perSecond * minutes * 60 * 0.5;
  if (!isEnough) process.stdout.write('Fewer than half of the containers could be made\n');
  return found.every(({ isFlat }) => isFlat) && run.last.wrong.length === 0 && isEnough ? 0 : 1;
}

process.exitCode = await main();
