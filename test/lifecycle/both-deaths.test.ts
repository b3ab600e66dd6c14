// SPDX-License-Identifier: Apache-2.0
// Keeper and worker are killed together. What nobody holds any more is gone; a service manager holds it.
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles } from '../_support/clients.js';
import { RunningDaemon } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { serviceManager } from '../_support/service-manager.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';

const times = 10;

test('under a service manager no read fails, however often both are killed', async () => {
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  await using dir = await TempDir.create();
  const prefix = serviceManager(dir.path);
  await using daemon = await RunningDaemon.start(['--leave-mounted'], { dir, prefix });
  const clients = await Clients.start(clientFiles(daemon, await viewOf(daemon, cgroup.path)));
  await using _clients = clients;
  for (let count = 1; count <= times; ++count) {
    const { pid, workerPid } = await statusOf(daemon);
    process.kill(pid, 'SIGKILL');
    process.kill(workerPid, 'SIGKILL');
    await daemon.logged('Serving', count + 1);
  }
  await clients.finish(`keeper and worker kill -9 × ${times}, descriptors stored`);
  expect(await statusOf(daemon)).toMatchObject({ layers: 2, orphaned: false });
}, 240_000);
