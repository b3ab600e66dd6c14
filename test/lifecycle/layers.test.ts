// SPDX-License-Identifier: Apache-2.0
// Stacks of the public tree stay as low as those who depend on them allow, however often something dies.
import { writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { BuildCopy } from '../_support/build-copy.js';
import { Clients } from '../_support/clients.js';
import { lensfs, RunningDaemon } from '../_support/lensfs.js';
import { statusOf, mountTest as test } from '../_support/mounted.js';
import { mountPointsIn } from '../_support/mounts.js';
import { PythonProcess } from '../_support/python.js';
import { TempDir } from '../_support/temp-dir.js';

const suiteTimeoutMs = 240_000;

/** Types of the layers of one file, from the lowest on. */
async function layersOf({ tree }: { tree: string }): Promise<string[]> {
  const mounts = await mountPointsIn(`${tree}/proc/uptime`);
  return mounts.map(({ type }) => type);
}

async function killBoth(daemon: RunningDaemon): Promise<void> {
  const worker = await daemon.workerPid();
  daemon.child.kill('SIGKILL');
  process.kill(worker, 'SIGKILL');
  await daemon.exited;
}

// args: what to mount on a file of its own, and how; in a mount namespace of its own.
const follower = `
libc.unshare(0x00020000)
MS_BIND, MS_REC, MS_SLAVE = 4096, 16384, 1 << 19
assert libc.mount(b'none', b'/', None, MS_REC | MS_SLAVE, None) == 0
source, target = args[0].encode(), args[1].encode()
assert libc.mount(source, target, None, MS_BIND | MS_REC, None) == 0
assert libc.mount(b'none', target, None, MS_REC | MS_SLAVE, None) == 0
path = target.decode() + ('/proc/uptime' if os.path.isdir(target) else '')
while True:
    try:
        step(len(open(path).read().split()))
    except OSError as error:
        step(errno.errorcode[error.errno])
`;

async function seenBy(script: PythonProcess): Promise<unknown> {
  // What was read when this was asked last is not what is there now.
  await script.next();
  script.go();
  const seen = await script.next();
  script.go();
  return seen;
}

describe('the stacks of the public tree', () => {
  test(
    'are as high as before after workers that did not last, time and again',
    async () => {
      await using dir = await TempDir.create();
      const build = await BuildCopy.create(dir);
      const policy = ['--set', 'workers.deaths=2', '--set', 'workers.window=60s'];
      const options = { dir, program: build.program };
      await using daemon = await RunningDaemon.start(policy, options);
      await using clients = await Clients.start([`${daemon.tree}/proc/meminfo`]);
      for (let count = 1; count <= 4; ++count) {
        const mend = await build.breakWorker();
        process.kill(await daemon.workerPid(), 'SIGKILL');
        await daemon.logged("Workers do not last, the tree shows the host's files", count);
        expect(await layersOf(daemon)).toEqual(['proc', 'fuse.lensfs', 'proc']);
        await mend();
        await daemon.logged('A worker is well, its files come back to the tree', count);
        await expect.poll(async () => await layersOf(daemon)).toEqual(['proc', 'fuse.lensfs']);
      }
      expect((await statusOf(daemon)).layers).toBe(2);
      await clients.finish('crash loop × 4');
    },
    suiteTimeoutMs,
  );

  test(
    'are as high as before when keeper and worker were killed, or the host’s files staged, time and again',
    async () => {
      await using dir = await TempDir.create();
      await using place = await TempDir.create();
      const first = await RunningDaemon.start([], { dir });
      const args = [first.tree, place.path];
      await using following = new PythonProcess(follower, { args });
      let last = first;
      await using _cleanUp = {
        [Symbol.asyncDispose]: async () => await last[Symbol.asyncDispose](),
      };
      for (let count = 1; count <= 4; ++count) {
        expect(await seenBy(following)).toBe(2);
        await killBoth(last);
        await expect.poll(async () => await seenBy(following)).toBe('ENOTCONN');
        if (count % 2 === 0) {
          const staged = await lensfs(['stage', '--native', '--tree', last.tree]);
          expect([staged.code, staged.stderr]).toEqual([0, '']);
          expect(await layersOf(last)).toEqual(['proc']);
          expect(await seenBy(following)).toBe(2);
        }
        last = await RunningDaemon.start([], { dir });
        expect(await layersOf(last)).toEqual(['proc', 'fuse.lensfs']);
      }
      expect((await statusOf(last)).layers).toBe(2);
      expect(await seenBy(following)).toBe(2);
    },
    suiteTimeoutMs,
  );

  test(
    'keep a layer that a container was started from for as long as it runs',
    async () => {
      await using dir = await TempDir.create();
      await using place = await TempDir.create();
      const target = place.at('uptime');
      await writeFile(target, '');
      const first = await RunningDaemon.start([], { dir });
      const args = [`${first.tree}/proc/uptime`, target];
      let last = first;
      await using _cleanUp = {
        [Symbol.asyncDispose]: async () => await last[Symbol.asyncDispose](),
      };
      {
        await using following = new PythonProcess(follower, { args });
        for (let count = 1; count <= 3; ++count) {
          expect(await seenBy(following)).toBe(2);
          await killBoth(last);
          last = await RunningDaemon.start([], { dir });
          await expect.poll(async () => await seenBy(following)).toBe(2);
          // The layer it was started from, and above it the one that is alive.
          expect(await layersOf(last)).toEqual(['proc', 'fuse.lensfs', 'fuse.lensfs']);
        }
      }
      await killBoth(last);
      last = await RunningDaemon.start([], { dir });
      expect(await layersOf(last)).toEqual(['proc', 'fuse.lensfs']);
    },
    suiteTimeoutMs,
  );
});
