// SPDX-License-Identifier: Apache-2.0
// Containers that start while the daemon is dead, hangs, or has fifty of them to serve at once.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type BundleOptions, Bundles, type Runtime, runtimes } from '../_support/bundles.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { patience } from '../_support/patience.js';
import { built, command, testWith } from '../_support/requirements.js';
import { ringTasks } from '../_support/rings.js';
import { allFiles, parseSeen, printSeen, type Seen } from '../_support/seen.js';

const requirements = [built(hookProgram), built(runtimeProgram), ...runtimes.map(command)];
const test = testWith(...mountRequirements, ...requirements);

/** The hook gives up a daemon that is silent, and a busy machine makes all of it slower. */
const limitMs = 120_000 * patience;

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

/** What a new container sees, and what the hook has written into the log. */
async function start(
  daemon: RunningDaemon,
  runtime: Runtime,
  options: Partial<BundleOptions> = {},
): Promise<Seen & { log: string }> {
  const limits = { command: printSeen, memoryBytes: 128 * 2 ** 20, cpus: 1 };
  const bundle = await bundles.make({ ...limits, ...options });
  const log = `${bundle.path}/hook.log`;
  const places = [`--lensfs-tree=${daemon.tree}`, `--lensfs-run-dir=${daemon.runDir}`];
  const program = [runtimeProgram, `--lensfs-runtime=${runtime}`, ...places, '--log', log];
  const args = ['run', '--bundle', bundle.path, bundle.id];
  const [name = '', ...rest] = bundles.commandLine(runtime, program, args);
  const { code, stdout, stderr } = await run(name, rest, { timeout: limitMs });
  const text = await readFile(log, 'utf8').catch(() => '');
  if (code !== 0) throw new Error(`${runtime} ended with ${code}: ${stdout}${stderr}${text}`);
  return { ...parseSeen(stdout), log: text };
}

/** The worker, and those who answer for it over rings. */
async function answering(worker: number): Promise<number[]> {
  return [worker, ...(await ringTasks(worker))];
}

/** The host's values, and one line that says why. */
function expectHost(seen: Seen & { log: string }, why: RegExp): void {
  expect(seen.mounts).toEqual([]);
  expect(seen.memTotalMib).toBeGreaterThan(128);
  expect(seen.log).toMatch(why);
}

describe('a container', () => {
  test('starts with the host’s values when the daemon was killed', async () => {
    await using daemon = await RunningDaemon.start();
    await daemon.killAll();
    const why = /keeps the host's values: Transport endpoint is not connected/;
    for (const runtime of runtimes) expectHost(await start(daemon, runtime), why);
  });

  test(
    'waits for another worker when the one that there is hangs',
    async () => {
      await using daemon = await RunningDaemon.start();
      const worker = await daemon.workerPid();
      for (const pid of await answering(worker)) process.kill(pid, 'SIGSTOP');
      const seen = await start(daemon, 'runc');
      expect([seen.mounts, seen.memTotalMib, seen.log]).toEqual([allFiles, 128, '']);
      expect(await daemon.workerPid()).not.toBe(worker);
    },
    limitMs,
  );

  test(
    'starts with the host’s values when all of the daemon hangs',
    async () => {
      await using daemon = await RunningDaemon.start();
      const answerers = await answering(await daemon.workerPid());
      const pids = [daemon.child.pid ?? 0, ...answerers];
      for (const pid of pids) process.kill(pid, 'SIGSTOP');
      const why = /does not answer, the host's values stay/;
      // Over rings a request is taken at once, and who waits for its answer cannot be killed; "crun run" ends after every
      // process that was left to it.
      const later: Runtime[] = answerers.length > 1 ? ['crun'] : [];
      const atOnce = runtimes.filter((name) => !later.includes(name));
      const waiting = Promise.all(later.map((runtime) => start(daemon, runtime)));
      try {
        const all = await Promise.all(atOnce.map((runtime) => start(daemon, runtime)));
        for (const seen of all) expectHost(seen, why);
      } finally {
        for (const pid of pids.reverse()) process.kill(pid, 'SIGCONT');
      }
      for (const seen of await waiting) expectHost(seen, why);
    },
    limitMs,
  );
});

describe('fifty containers', () => {
  test(
    'that start at once each have their own view',
    async () => {
      await using daemon = await RunningDaemon.start();
      const sizes = Array.from({ length: 50 }, (_, index) => 64 + index);
      const seen = await Promise.all(
        sizes.map((mebibytes) => {
          return start(daemon, 'runc', { memoryBytes: mebibytes * 2 ** 20 });
        }),
      );
      expect(seen.map(({ log }) => log).filter(Boolean)).toEqual([]);
      expect(seen.map(({ memTotalMib }) => memTotalMib)).toEqual(sizes);
      for (const { mounts } of seen) expect(mounts).toEqual(allFiles);
    },
    limitMs,
  );
});
