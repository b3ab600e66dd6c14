// SPDX-License-Identifier: Apache-2.0
// Two hundred containers at once, each with a limit of its own, all reading at the same moment.
import { execFile } from 'node:child_process';
import { chmod, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import type { Container } from '../_support/container.js';
import { containerTest as test, useContainers } from '../_support/containers.js';
import { allClosed, statusOf } from '../_support/mounted.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';
import { waitUntil } from '../_support/wait.js';

const containers = useContainers();

const dockerCount = 20;
const runcCount = 180;
const startedAtOnce = 4;
const rounds = 5;

/**
 * The first process: waits until the test opens the FIFO, then reads, again and again. The shell
 * reads byte by byte.
 */
function readWhenTold(name: string): string[] {
  const reads = Array.from({ length: rounds }).fill(readOnce).join('; ');
  const script = `
    : >/shared/ready-${name}
    : </shared/go
    { ${reads}; } >/shared/part-${name} 2>&1
    /busybox mv /shared/part-${name} /shared/seen-${name}
    exec /busybox sleep 1000000`;
  return ['/busybox', 'sh', '-c', script];
}

const readOnce = [
  'read -r _ total _ </proc/meminfo',
  'read -r up _ </proc/uptime',
  'read -r cpus </sys/devices/system/cpu/online',
  'read -r cpu _ </proc/stat',
  'echo "$total $cpu $cpus $up"',
].join('; ');

/** Calls `start` for 0, 1, ..., a few at a time. */
async function startMany(
  count: number,
  start: (index: number) => Promise<Container>,
): Promise<Container[]> {
  const started: Container[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      started.push(await start(index));
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: startedAtOnce }, worker));
  const failed = workers.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return started;
}

describe('two hundred containers', () => {
  test('each see their own limits, all at the same time', async () => {
    const { daemon } = containers();
    const shared = daemon.dir.at('shared');
    await mkdir(shared);
    await chmod(shared, 0o777);
    await promisify(execFile)('mkfifo', [join(shared, 'go')]);
    const runc = await containers().runc();
    const limitMib = (index: number) => 20 + index;

    await startMany(dockerCount, (index) => {
      const flags = ['--memory', `${limitMib(index)}m`, '--volume', `${shared}:/shared`];
      return containers().docker(flags, readWhenTold(`${index}`));
    });
    await startMany(runcCount, (index) =>
      runc.start({
        memoryBytes: limitMib(dockerCount + index) * mebibyte,
        cpus: 0.5,
        binds: [{ from: shared, to: '/shared' }],
        command: readWhenTold(`${dockerCount + index}`),
      }),
    );
    const count = dockerCount + runcCount;
    const countOf = async (kind: string) =>
      (await readdir(shared)).filter((name) => name.startsWith(kind)).length;
    await expect.poll(() => countOf('ready-'), { timeout: 60_000 }).toBe(count);

    const go = await open(join(shared, 'go'), 'w'); // opens the FIFO for all who wait
    await expect.poll(() => countOf('seen-'), { timeout: 60_000, interval: 100 }).toBe(count);
    await go.close();
    for (let index = 0; index < count; index += 1) {
      const lines = (await readFile(join(shared, `seen-${index}`), 'utf8')).trimEnd().split('\n');
      const cpus = index < dockerCount ? '[\\d,-]+' : '0';
      const line = new RegExp(`^${limitMib(index) * kibPerMebibyte} cpu ${cpus} \\d+\\.\\d\\d$`);
      expect(lines).toEqual(Array.from({ length: rounds }, () => expect.stringMatching(line)));
    }
    expect((await statusOf(daemon)).views).toBeGreaterThanOrEqual(count);
    await containers().expectNoFallback();
    await allClosed(daemon);
  }, 300_000);

  test('leave nothing behind when they are gone', async () => {
    await containers().dispose();
    const { daemon } = containers();
    await waitUntil('the descriptors are given back', async () => {
      const { handles, heldDescriptors } = await statusOf(daemon);
      return handles === 0 && heldDescriptors < 200;
    });
  }, 120_000);
});
