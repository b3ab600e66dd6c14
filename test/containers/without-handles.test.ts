// SPDX-License-Identifier: Apache-2.0
// Where open_by_handle_at(2) is refused, as by the seccomp filters that systemd-nspawn and LXC give what they run.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { Bundles } from '../_support/bundles.js';
import { manyDeaths } from '../_support/deaths.js';
import { denying, syscalls } from '../_support/denying.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { lensfs, RunningDaemon } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { patience } from '../_support/patience.js';
import { built, command, testWith } from '../_support/requirements.js';
import { allFiles, parseSeen, printSeen } from '../_support/seen.js';

const requirements = [command('runc'), command('python3'), built(hookProgram)];
const test = testWith(...mountRequirements, ...requirements, built(runtimeProgram));
const deaths = 6;

let bundles: Bundles;

beforeAll(async () => {
  bundles = await Bundles.create();
});

afterAll(async () => await bundles[Symbol.asyncDispose]());

describe('a daemon that may not find cgroups by their ids', () => {
  test(
    'says so, and its pinned files outlive its workers',
    async () => {
      // Its workers are killed one after the other; that is not what the test is about.
      await using daemon = await RunningDaemon.start([...manyDeaths], {
        prefix: denying(syscalls.open_by_handle_at),
      });
      await daemon.logged(
        'Cgroups are found by name and process only: open_by_handle_at is refused, as by the seccomp filter of a container',
      );
      const places = ['--tree', daemon.tree, '--run-dir', daemon.runDir];
      const { stdout: status } = await daemon.command('status');
      const { stdout: doctor } = await lensfs(['doctor', ...places]);
      for (const text of [status, doctor]) expect(text).toContain('open_by_handle_at is refused');

      const dirs = [`--lensfs-tree=${daemon.tree}`, `--lensfs-run-dir=${daemon.runDir}`];
      const idle = { command: ['/bin/sleep', '1000000'], cpus: 1 };
      await using first = await bundles.start({ ...idle, memoryBytes: 96 * 2 ** 20 }, [
        runtimeProgram,
        ...dirs,
      ]);
      await using second = await bundles.start({ ...idle, memoryBytes: 128 * 2 ** 20 }, [
        runtimeProgram,
        ...dirs,
      ]);
      const mountinfo = await readFile(`/proc/${first.pid}/mountinfo`, 'utf8');
      expect(mountinfo).toMatch(/ \/=\w+=\d+\/proc\/meminfo \/proc\/meminfo /);
      for (let death = 0; death < deaths; ++death) {
        for (const [container, memTotalMib] of [
          [first, 96],
          [second, 128],
        ] as const) {
          const seen = parseSeen(await container.output(...printSeen));
          expect(seen).toMatchObject({ memTotalMib, processors: 1, mounts: allFiles });
        }
        process.kill(await daemon.workerPid(), 'SIGKILL');
        await daemon.logged('Serving again', death + 1);
      }
    },
    120_000 * patience,
  );
});
