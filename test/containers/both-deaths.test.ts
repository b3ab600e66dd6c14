// SPDX-License-Identifier: Apache-2.0
// Keeper and worker are killed together while nobody else holds the connections, and lensfs is started again.
import { describe, expect } from 'vitest';
import { printFigures } from '../_support/clients.js';
import { containerTest as test } from '../_support/containers.js';
import { DockerContainer } from '../_support/docker.js';
import { lensfs, RunningDaemon } from '../_support/lensfs.js';
import { statusOf } from '../_support/mounted.js';
import { TempDir } from '../_support/temp-dir.js';

const suiteTimeoutMs = 240_000;

const limits = ['--memory', '64m', '--memory-swap', '64m', '--cpus', '1'];

interface Change {
  path: string;
  /** Of the monotonic clock. */
  atNsec: number;
  /** "own", an errno's name, or the text that should not be there. */
  seen: string;
}

// Reads at full speed, and tells of each change in what a file shows.
const reader = `
import re, threading
own = {'meminfo': rb'MemTotal: +65536 kB', 'stat': rb'cpu  ', 'loadavg': rb'[0-9]+[.][0-9]{2} ', 'online': rb'[0-9-]+'}
lock, changes = threading.Lock(), []
def client(path):
    pattern, last = re.compile(own[os.path.basename(path)]), None
    while True:
        try:
            text = open(path, 'rb').read()
            seen = 'own' if pattern.match(text) and text[-1:] == b'\\n' else repr(text[:60])
        except OSError as error:
            seen = errno.errorcode[error.errno]
        if seen != last:
            with lock:
                changes.append({'path': path, 'atNsec': time.monotonic_ns(), 'seen': seen})
        last = seen
threads = [threading.Thread(target=client, args=(path,)) for path in args]
for thread in threads:
    thread.start()
while True:
    step(changes)
`;

const readFiles = [
  '/proc/meminfo',
  '/proc/stat',
  '/sys/devices/system/cpu/online',
  '/live/proc/meminfo',
  '/live/proc/loadavg',
];

/** As a user does it who pastes what `lensfs mounts docker` prints, with the whole tree besides. */
async function startFollower(daemon: RunningDaemon): Promise<DockerContainer> {
  const { stdout } = await lensfs(['mounts', 'docker', '--tree', daemon.tree]);
  const flags = stdout.replaceAll('\\\n', '').trim().split(/\s+/);
  const whole = ['-v', `${daemon.tree}:/live:ro,rslave`];
  return await DockerContainer.startPlain([...limits, ...flags, ...whole]);
}

/** The keeper first, which would start another worker. */
async function killBoth(daemon: RunningDaemon): Promise<void> {
  const worker = await daemon.workerPid();
  daemon.child.kill('SIGKILL');
  process.kill(worker, 'SIGKILL');
  await daemon.exited;
}

describe('keeper and worker killed together', () => {
  test(
    'cost a container that follows no more than the time without a daemon',
    async () => {
      await using dir = await TempDir.create();
      await using killed = await RunningDaemon.start([], { dir });
      await using follower = await startFollower(killed);
      await using script = follower.python(reader, ...readFiles);
      const look = async () => {
        const changes = await script.next<Change[]>();
        script.go();
        return changes;
      };
      const seenLast = (changes: Change[]) =>
        readFiles.map((file) => changes.findLast(({ path }) => path === file)?.seen);
      await expect.poll(async () => new Set(seenLast(await look()))).toEqual(new Set(['own']));
      await killBoth(killed);
      await expect.poll(async () => new Set(seenLast(await look()))).toEqual(new Set(['ENOTCONN']));

      const begin = Number(process.hrtime.bigint());
      await using next = await RunningDaemon.start([], { dir });
      await expect.poll(async () => new Set(seenLast(await look()))).toEqual(new Set(['own']));
      const changes = await look();
      const back = Math.max(...changes.map(({ atNsec }) => atNsec)) - begin;
      printFigures(`Killed both, served again: own values after ${(back / 1e6).toFixed(0)} ms`);
      for (const file of readFiles) {
        // A read that was being answered is told so.
        const seen = changes.filter(({ path }) => path === file).map((change) => change.seen);
        expect(seen.filter((what) => what !== 'ECONNABORTED')).toEqual(['own', 'ENOTCONN', 'own']);
      }
      expect(await statusOf(next)).toMatchObject({ workers: 1, orphaned: false });
    },
    suiteTimeoutMs,
  );

  test(
    'are renewed in a container that cannot follow, by the next daemon',
    async () => {
      await using dir = await TempDir.create();
      await using killed = await RunningDaemon.start([], { dir });
      await using other = await DockerContainer.start(killed.tree, limits);
      expect((await other.memInfo())['MemTotal']).toBe(65_536);
      await killBoth(killed);
      await using next = await RunningDaemon.start([], { dir });
      await next.logged("Containers' files have been renewed");
      // Now the pinned file, whose last line is padded.
      expect(await other.read('/proc/meminfo')).toMatch(/^MemTotal: +65536 kB$/m);
      expect(await other.processors()).toHaveLength(1);
      expect(await other.read('/lensfs/proc/meminfo')).toMatch(/^MemTotal: +65536 kB$/m);
      const places = ['--tree', next.tree, '--run-dir', next.runDir];
      const repaired = await lensfs(['repair', `${await other.pid()}`, '--json', ...places]);
      expect(JSON.parse(repaired.stdout)).toMatchObject({ done: [], left: [] });
      const status = await statusOf(next);
      expect(status.fallbacks).toEqual([]);
    },
    suiteTimeoutMs,
  );
});
