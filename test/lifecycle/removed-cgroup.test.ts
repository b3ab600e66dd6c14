// SPDX-License-Identifier: Apache-2.0
// A cgroup goes away while nobody answers: the next worker has never heard of it.
import { expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import { Clients, clientFiles } from '../_support/clients.js';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountTest as test } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';
import { viewOf } from '../_support/views.js';

// Reads through a descriptor that is kept, and by name.
const reader = `
path = args[0]
kept = os.open(path, os.O_RDONLY)
def read(get):
    try:
        return get().split('\\n')[0]
    except OSError as error:
        return errno.errorcode[error.errno]
while True:
    step({'kept': read(lambda: os.pread(kept, 4096, 0).decode()), 'named': read(lambda: open(path).read())})
`;

interface Read {
  kept: string;
  named: string;
}

test('a cgroup that is removed while the worker is dead takes nobody else along', async () => {
  await using dir = await TempDir.create();
  await using daemon = await RunningDaemon.start([], { dir });
  await using other = await TestCgroup.create({ memoryBytes: 96 * 2 ** 20 });
  await using removed = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  const view = await viewOf(daemon, removed.path);
  await using clients = await Clients.start(clientFiles(daemon, await viewOf(daemon, other.path)));
  const path = `${daemon.runDir}/mnt/pinned/${view}/proc/meminfo`;
  await using script = new PythonProcess(reader, { args: [path] });
  const total = (mebibytes: number) => expect.stringMatching(` ${mebibytes * 1024} kB$`);
  expect(await script.next<Read>()).toEqual({ kept: total(64), named: total(64) });

  const worker = await daemon.workerPid();
  const keeper = daemon.child.pid ?? 0;
  process.kill(keeper, 'SIGSTOP');
  process.kill(worker, 'SIGKILL');
  await removed.remove();
  process.kill(keeper, 'SIGCONT');
  await daemon.logged('Serving again');
  script.go();
  const gone = await script.next<Read>();
  expect(gone.kept).toBe('ESTALE');
  expect(['ENOENT', 'ESTALE']).toContain(gone.named);

  await using again = await removed.again({ memoryBytes: 32 * 2 ** 20 });
  await run(...again.contain('true'));
  await expect
    .poll(async () => {
      script.go();
      return await script.next<Read>();
    })
    .toEqual({ kept: 'ESTALE', named: total(32) });
  await clients.finish('a cgroup removed while the worker was dead');
});
