// SPDX-License-Identifier: Apache-2.0
// Every byte of every read of a pinned file, while its values change as fast as they can: the page
// cache never shows half of one rendering and half of another.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { TestCgroup } from '../_support/cgroup.js';
import type { RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { PythonProcess } from '../_support/python.js';
import { built, testWith } from '../_support/requirements.js';
import { mebibyte } from '../_support/units.js';
import { broken, verify, verifyProgram } from '../_support/verify.js';

const threads = 4;
/** Longer runs: `INTEGRITY_SECONDS=60 npm test -- test/mount/pinned-integrity.test.ts`. */
const wantedSeconds = Number(process.env['INTEGRITY_SECONDS'] ?? Number.NaN);
/** The kernel counts the age of attributes in ticks of some milliseconds; at 0 it asks at every read. */
const cases = [
  { freshness: '1ms', seconds: 12, files: ['meminfo', 'stat', 'loadavg', 'uptime', 'swaps'] },
  { freshness: '0', seconds: 5, files: ['meminfo', 'stat'] },
];
const limitBytes = 256 * mebibyte;

const test = testWith(...mountRequirements, built(verifyProgram));

/** Allocates, frees, burns CPU time and makes children, without end. */
const busy = `
  import mmap
  reply('busy')
  while True:
      for mib in (1, 24, 3, 48, 7):
          memory = mmap.mmap(-1, mib << 20)
          for offset in range(0, mib << 20, 4096):
              memory[offset] = 1
          memory.close()
      child = os.fork()
      if child == 0:
          os._exit(0)
      os.waitpid(child, 0)
`;

async function pinnedFile(daemon: RunningDaemon, cgroup: TestCgroup, name: string) {
  const { stdout } = await daemon.command('show', '--view', '--cgroup', cgroup.path);
  return join(stdout.trimEnd(), 'proc', name);
}

function limitFile(cgroup: TestCgroup): string {
  const names = ['memory.max', 'memory.limit_in_bytes'];
  const found = names.map((name) => cgroup.file('memory', name)).find(existsSync);
  if (found === undefined) throw new Error(`${cgroup.path} has no memory limit`);
  return found;
}

describe.each(cases)(
  'A pinned file, freshness=$freshness',
  ({ freshness, seconds: least, files }) => {
    const seconds = Number.isNaN(wantedSeconds) ? least : wantedSeconds;
    const daemon = useDaemon('--set', `freshness=${freshness}`);

    for (const name of files) {
      test(
        `${name} is one whole rendering at every read`,
        async () => {
          await using cgroup = await TestCgroup.create({ memoryBytes: limitBytes });
          await using load = new PythonProcess(busy, { cgroup });
          expect(await load.next()).toBe('busy');
          const file = await pinnedFile(daemon(), cgroup, name);
          const limit = { file: limitFile(cgroup), bytes: limitBytes };
          const verified = await verify(file, { threads, seconds, limit });
          process.stdout.write(`${name}: ${verified.reads} reads of ${verified.texts} texts\n`);
          expect([broken(verified), verified.example]).toEqual([{}, '']);
          expect(verified.reads).toBeGreaterThan(seconds * 1_000);
        },
        (seconds + 60) * 1_000,
      );
    }
  },
);
