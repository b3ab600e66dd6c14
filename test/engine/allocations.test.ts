// SPDX-License-Identifier: Apache-2.0
// What a reader that has read before makes the engine allocate.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { CapturedHost, capturedContainers } from '../_support/captured-hosts.js';
import { built, testWith } from '../_support/requirements.js';

const program = fileURLToPath(new URL('../../build/Release/core_check', import.meta.url));
const test = testWith(built(program));

function allocations({ tree }: CapturedHost, pid: number, file: string): number {
  const args = ['--allocations', tree.proc, tree.cgroup, tree.sys, `${pid}`, file];
  return Number(execFileSync(program, args, { encoding: 'utf8' }));
}

describe('a warm read allocates', () => {
  for (const [name, containers] of capturedContainers) {
    test(`nothing for meminfo on ${name}`, async () => {
      await using host = await CapturedHost.unpack(name);
      const counts = containers.map(({ pid }) => [pid, allocations(host, pid, 'proc/meminfo')]);
      expect(counts).toEqual(containers.map(({ pid }) => [pid, 0]));
    });
  }
});
