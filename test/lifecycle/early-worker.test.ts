// SPDX-License-Identifier: Apache-2.0
// A worker answers reads before it has JavaScript, and with what is in force.
import { expect } from 'vitest';
import { controlSocketPath } from '../../src/config/paths.js';
import { BuildCopy } from '../_support/build-copy.js';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles } from '../_support/clients.js';
import { send } from '../_support/http.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';

/** Runs on, and does nothing. */
const idle = 'setInterval(() => {}, 1_000);\n';

test('a worker without JavaScript answers reads as the configuration says', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await using dir = await TempDir.create();
  const build = await BuildCopy.create(dir);
  await using daemon = await RunningDaemon.start([], { dir, program: build.program });
  await using clients = await Clients.start(clientFiles(daemon, await viewOf(daemon, cgroup.path)));
  // Live keys, profiles among them, which only the daemon itself knows.
  const memory = { match: { cgroup: cgroup.path }, swap: 'off' };
  const patch = JSON.stringify({ loadavg: 'off', profiles: [memory] });
  const type = { 'content-type': 'application/json' };
  const changed = await send(controlSocketPath(daemon.runDir), 'PATCH', '/v1/config', patch, type);
  expect(changed).toMatchObject({ status: 200 });

  const mend = await build.replaceWorker(idle);
  const first = await daemon.workerPid();
  process.kill(first, 'SIGKILL');
  const file = `${daemon.tree}/proc/meminfo`;
  const { stdout } = await run(...cgroup.contain('cat', file));
  expect(stdout).toMatch(/^MemTotal: +65536 kB$/m);
  expect(stdout).toMatch(/^SwapTotal: +0 kB$/m);
  const second = await daemon.workerPid();
  expect(second).not.toBe(first);

  await mend();
  process.kill(second, 'SIGKILL');
  await daemon.logged('Serving again');
  await clients.finish('a worker without JavaScript');
  expect(await statusOf(daemon)).toMatchObject({ workers: 3, layers: 2, fallbacks: [] });
}, 240_000);
