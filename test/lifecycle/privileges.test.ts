// SPDX-License-Identifier: Apache-2.0
// What keeper and worker could do if somebody took them over.
import { readdir, readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { mountTest as test, useDaemon } from '../_support/mounted.js';

const daemon = useDaemon();

/** Bits of capabilities(7). */
const kept = {
  CAP_DAC_OVERRIDE: 1,
  CAP_DAC_READ_SEARCH: 2,
  CAP_KILL: 5,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
};
const maskOf = (bits: Record<string, number>) =>
  Object.values(bits).reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
const keptMask = maskOf(kept);
const keepersMask = keptMask | maskOf({ CAP_SYS_CHROOT: 18, CAP_SYS_NICE: 23 });

async function statusOf(pid: number, thread = pid): Promise<(key: string) => string> {
  const status = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8');
  return (key) => new RegExp(`^${key}:\\s+(\\S+)$`, 'm').exec(status)?.[1] ?? '';
}

const pids: Record<string, () => Promise<number>> = {
  keeper: async () => daemon().child.pid ?? 0,
  worker: async () => await daemon().workerPid(),
};

describe('least privilege', () => {
  for (const [name, pidOf] of Object.entries(pids)) {
    test(`the ${name} has no capability that it has no use for, and gets none`, async () => {
      const of = await statusOf(await pidOf());
      const mask = name === 'keeper' ? keepersMask : keptMask;
      for (const set of ['CapPrm', 'CapEff']) expect(BigInt(`0x${of(set)}`) & ~mask, set).toBe(0n);
      expect(BigInt(`0x${of('CapBnd')}`) & ~keepersMask).toBe(0n);
      for (const set of ['CapInh', 'CapAmb']) expect(BigInt(`0x${of(set)}`), set).toBe(0n);
      expect(of('NoNewPrivs')).toBe('1');
    });

    test(`every thread of the ${name} has a filter of system calls`, async () => {
      const pid = await pidOf();
      for (const thread of await readdir(`/proc/${pid}/task`)) {
        const of = await statusOf(pid, Number(thread));
        expect([of('Seccomp'), of('NoNewPrivs')], of('Name')).toEqual(['2', '1']);
      }
    });
  }

  test('what is kept is enough to serve, and all of it is there', async () => {
    const of = await statusOf(await daemon().workerPid());
    const own = await statusOf(process.pid); // root of a machine may have less than all
    expect(BigInt(`0x${of('CapEff')}`)).toBe(BigInt(`0x${own('CapEff')}`) & keptMask);
    expect(await readFile(`${daemon().tree}/proc/meminfo`, 'utf8')).toMatch(/^MemTotal:/);
  });
});
