// SPDX-License-Identifier: Apache-2.0
// A mistake in the configuration before a start or a reload: readers are answered, and it is said.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { controlSocketName } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import { lensfs, RunningDaemon } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { mountsIn } from '../_support/mounts.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

const good = 'cpu:\n  count: cpuset\nfreshness: 20ms\n';
const wrong = 'cpu:\n  count: many\nfresh: 20ms\n';

/** A configuration of its own, and a daemon on directories of its own. */
async function setUp(dir: TempDir, text: string) {
  const file = dir.at('config.yaml');
  await writeFile(file, text);
  const start = (...more: string[]) => RunningDaemon.start(['--config', file, ...more], { dir });
  return { file, start };
}

test('A start with a wrong configuration uses the last good one, and says so everywhere', async () => {
  const dir = await TempDir.create();
  const { file, start } = await setUp(dir, good);
  const first = await start('--leave-mounted');
  await writeFile(file, wrong);
  first.child.kill('SIGTERM');
  await first.exited;

  await using daemon = await start();
  const [told] = daemon.log.filter(({ msg }) => msg.includes('last good'));
  expect(told).toMatchObject({ level: 'error' });
  expect(JSON.stringify(told?.['problems'])).toContain('cpu.count: expected quota or cpuset');
  expect((await statusOf(daemon)).configProblems).toHaveLength(2);
  const { config } = await ask(join(daemon.runDir, controlSocketName), 'config');
  expect(config).toMatchObject({ cpu: { count: 'cpuset' }, freshness: '20ms' });
  expect(await readFile(join(daemon.tree, 'proc/meminfo'), 'utf8')).toMatch(/^MemTotal:/);

  const status = await daemon.command('status', '--config', file);
  expect(status.stdout).toMatch(
    /^Configuration +degraded, the last good one is in force: cpu.count/m,
  );
  expect((await daemon.command('metrics')).stdout).toMatch(/^lensfs_config_degraded 1$/m);
  const paths = ['--config', file, '--tree', daemon.tree, '--run-dir', daemon.runDir];
  const doctor = await lensfs(['doctor', ...paths]);
  expect(doctor.stdout).toMatch(/^fail {2}configuration: cpu.count: expected quota or cpuset/m);
  expect(doctor.stdout).toMatch(/^(ok|warn) {2,4}daemon: /m);

  // Mended, and read again.
  await writeFile(file, good.replace('cpuset', 'quota'));
  expect((await daemon.command('reload')).code).toBe(0);
  expect((await statusOf(daemon)).configProblems).toEqual([]);
  expect((await daemon.command('metrics')).stdout).toMatch(/^lensfs_config_degraded 0$/m);
}, 90_000);

test('A reload that is refused shows, also after the worker has changed', async () => {
  const dir = await TempDir.create();
  const { file, start } = await setUp(dir, good);
  await using daemon = await start();
  await writeFile(file, wrong);
  expect((await daemon.command('reload')).code).not.toBe(0);
  expect((await statusOf(daemon)).configProblems).toHaveLength(2);
  const worker = await daemon.workerPid();
  process.kill(worker, 'SIGKILL');
  await waitUntil('another worker answers', async () => {
    const status = await statusOf(daemon).catch(() => undefined);
    return status !== undefined && status.workerPid !== worker;
  });
  expect((await statusOf(daemon)).configProblems).toHaveLength(2);
}, 60_000);

test('A first start with a wrong configuration is refused with all problems, and leaves nothing', async () => {
  await using dir = await TempDir.create();
  const { file } = await setUp(dir, wrong);
  const paths = ['--config', file, '--tree', dir.at('tree'), '--run-dir', dir.at('run')];
  const { code, stderr } = await lensfs(['serve', ...paths]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^lensfs: 2 problems in the configuration\n/);
  expect(await mountsIn(dir.path)).toEqual([]);
});

test('What the command line says is never replaced, and always checked', async () => {
  const dir = await TempDir.create();
  const { file, start } = await setUp(dir, good);
  const first = await start();
  first.child.kill('SIGTERM');
  await first.exited;
  await writeFile(file, wrong);
  const paths = ['--config', file, '--tree', first.tree, '--run-dir', first.runDir];
  expect((await lensfs(['serve', ...paths, '--set', 'cpu.count=some'])).code).toBe(2);
  await using daemon = await start('--set', 'freshness=30ms');
  const { config } = await ask(join(daemon.runDir, controlSocketName), 'config');
  expect(config).toMatchObject({ cpu: { count: 'cpuset' }, freshness: '30ms' });
}, 60_000);
