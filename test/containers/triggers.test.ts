// SPDX-License-Identifier: Apache-2.0
// Containers whose programs write pressure triggers, the files given to them by lensfs-runtime.
import { afterAll, beforeAll, expect } from 'vitest';
import { Bundles, runtimes } from '../_support/bundles.js';
import { runtimeProgram } from '../_support/hook.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { built, command, testWith } from '../_support/requirements.js';

const test = testWith(...mountRequirements, ...runtimes.map(command), built(runtimeProgram));
const daemon = useDaemon('--set', 'pressure.triggers=on');

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

/** Sets a trigger in each way a shell can, and shows what else can be written. */
const script = `
  exec 3<>/proc/pressure/memory
  echo "some 1000000 2000000" >&3 && echo set
  echo "full 1000000 2000000" >&3 || echo busy
  echo "some 1000000 2000000" >/proc/pressure/cpu && echo set
  head -c 4 /proc/pressure/cpu; echo
  for file in meminfo stat pressure/..; do (echo 1 >/proc/$file) 2>/dev/null || echo "not $file"; done
  grep fuse.lensfs /proc/self/mountinfo | cut -d " " -f 5-6 | sort
`;

for (const runtime of runtimes) {
  for (const userNamespace of [false, true]) {
    const kind = userNamespace ? 'in a user namespace' : 'without a user namespace';
    test(`${runtime}: a container ${kind} sets triggers, and changes nothing else`, async () => {
      const { tree, runDir } = daemon();
      const text = await bundles.output(
        runtime,
        { command: ['/bin/sh', '-c', script], userNamespace },
        [
          runtimeProgram,
          `--lensfs-runtime=${runtime}`,
          `--lensfs-tree=${tree}`,
          `--lensfs-run-dir=${runDir}`,
        ],
      );
      const lines = text.trim().split('\n');
      const mounts = lines.filter((line) => line.startsWith('/'));
      expect(lines.filter((line) => !line.startsWith('/'))).toEqual([
        'set',
        'busy',
        'set',
        'some',
        'not meminfo',
        'not stat',
        'not pressure/..',
      ]);
      for (const mount of mounts) {
        const access = mount.startsWith('/proc/pressure/') ? 'rw' : 'ro';
        expect(mount.split(' ')[1]).toMatch(new RegExp(`^${access},nosuid,nodev,noexec`));
      }
      expect(mounts.filter((mount) => mount.includes('/pressure/'))).toHaveLength(3);
    });
  }
}
