// SPDX-License-Identifier: Apache-2.0
// What the keeper is beside its worker: small, killed last, and the one that signals are for.
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { RunningDaemon } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';

const keeperRssMaxKib = 2048;

async function scoreOf(pid: number | string): Promise<number> {
  return Number(await readFile(`/proc/${pid}/oom_score_adj`, 'utf8'));
}

test('the keeper is small, is killed after its worker, and passes SIGHUP on', async () => {
  await using dir = await TempDir.create();
  const file = dir.at('config.yaml');
  await writeFile(file, 'freshness: 20ms\n');
  await using daemon = await RunningDaemon.start(['--config', file], { dir });
  const keeper = daemon.child.pid ?? 0;
  const status = await readFile(`/proc/${keeper}/status`, 'utf8');
  expect(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])).toBeLessThanOrEqual(keeperRssMaxKib);
  expect(/^Threads:\s+(\d+)$/m.exec(status)?.[1]).toBe('1');

  const worker = await daemon.workerPid();
  // Without CAP_SYS_RESOURCE nobody may lower it.
  expect([-999, await scoreOf('self')]).toContain(await scoreOf(keeper));
  expect(await scoreOf(worker)).toBe(await scoreOf('self'));

  await writeFile(file, 'freshness: 30ms\n');
  process.kill(keeper, 'SIGHUP');
  expect(await daemon.logged('Configuration reloaded')).toMatchObject({
    pid: worker,
    applied: ['freshness'],
  });
});
