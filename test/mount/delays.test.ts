// SPDX-License-Identifier: Apache-2.0
// A view that takes long to read holds up nobody else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { rootsOf, mountTest as test } from '../_support/mounted.js';
import { python } from '../_support/python.js';
import { ringTasks } from '../_support/rings.js';
import { unpackTree } from '../_support/tree.js';
import { waitUntil } from '../_support/wait.js';

/** How many threads of the daemon, or tasks of its rings, are opening a pipe that nobody writes. */
async function waitingForPartner(daemon: RunningDaemon): Promise<number> {
  const worker = await daemon.workerPid();
  const threads = (await readdir(`/proc/${worker}/task`)).map((tid) => `${worker}/task/${tid}`);
  const places = [...threads, ...(await ringTasks(worker))].map((task) =>
    readFile(`/proc/${task}/wchan`, 'utf8'),
  );
  return (await Promise.all(places)).filter((place) => place === 'wait_for_partner').length;
}

/** Lets those go on who wait for the pipe, as if it were the empty file that it is from now on. */
async function replaceByFile(pipe: string): Promise<void> {
  await using _writer = await open(pipe, 'r+'); // waits for nobody
  await rm(pipe);
  await writeFile(pipe, '');
}

for (const readers of [1, 2]) {
  test(`readers=${readers}: others read on while counting the tasks of four views does not end`, async () => {
    // A pipe in the place of a list of tasks: who opens it waits until somebody writes.
    await using tree = await unpackTree('v2-systemd-4cpu-swap');
    const slices = ['user.slice', 'system.slice', 'kubepods.slice', 'init.scope'];
    const pipes = slices.map((slice) => `${tree.cgroup}/${slice}/cgroup.threads`);
    for (const pipe of pipes) {
      expect((await run('sh', ['-c', `rm "$0" && mkfifo "$0"`, pipe])).code).toBe(0);
    }
    await using daemon = await RunningDaemon.start([
      ...rootsOf(tree),
      ...['--set', `readers=${readers}`],
    ]);
    const paths = [`${daemon.runDir}/mnt/pinned`, `${daemon.runDir}/mnt/shared/views`];
    const slow = slices.flatMap((slice) =>
      paths.map((path) => spawn('cat', [`${path}/${slice}/proc/stat`])),
    );
    const ended = slow.map((child) => once(child, 'close'));
    try {
      await waitUntil('the daemon waits for every list', async () => {
        return (await waitingForPartner(daemon)) >= slices.length;
      });
      const others = await python<number>(
        `
        count = 0
        for _ in range(50):
            for path in args:
                fd = os.open(path, os.O_RDONLY)
                count += len(os.pread(fd, 65536, 0)) > 0
                os.close(fd)
        reply(count)
        `,
        {
          args: paths.flatMap((path) => [
            `${path}/user.slice=user-1000.slice/proc/stat`,
            `${path}/user.slice/proc/meminfo`,
          ]),
        },
      );
      expect(others).toBe(200);
    } finally {
      for (const pipe of pipes) await replaceByFile(pipe);
    }
    for (const [code] of await Promise.all(ended)) expect(code).toBe(0);
    expect((await daemon.command('stop')).code).toBe(0);
  });
}
