// SPDX-License-Identifier: Apache-2.0
// How long a turn the kernel gives each thread of a worker: the control API's is short, the readers' are not.
import { readdirSync } from 'node:fs';
import { expect } from 'vitest';
import { RunningDaemon, run } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, linux, testWith } from '../_support/requirements.js';

const test = testWith(...mountRequirements, command('python3'), linux(6, 12));

const sysSchedGetattr: Partial<Record<NodeJS.Architecture, number>> = { x64: 315, arm64: 275 };

/** Prints the sched_runtime of each thread, in nanoseconds. */
const script = `
import ctypes, struct, sys
for tid in sys.argv[2:]:
    attributes = ctypes.create_string_buffer(56)
    assert ctypes.CDLL(None).syscall(int(sys.argv[1]), int(tid), attributes, 56, 0) == 0
    print(struct.unpack_from('Q', attributes, 24)[0])
`;

test('The control API has short turns, the readers of /proc have those of everybody', async () => {
  await using daemon = await RunningDaemon.start();
  const pid = await daemon.workerPid();
  const own = `${process.pid}`;
  const threads = readdirSync(`/proc/${pid}/task`);
  const syscall = `${sysSchedGetattr[process.arch]}`;
  const { stdout } = await run('python3', ['-c', script, syscall, own, ...threads]);
  const [usual, ...turns] = stdout.trim().split('\n').map(Number);
  const short = threads.filter((_, index) => turns[index] === 100_000);
  expect(short).toContain(`${pid}`);
  expect(turns.filter((turn) => turn === usual).length).toBeGreaterThan(0);
});
