// SPDX-License-Identifier: Apache-2.0
// Memory and swap limits of Docker containers, against what the kernel says of their cgroups.
import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { ProcessCgroup } from '../_support/cgroup-tree.js';
import { containerTest, containerTestWith, useContainers } from '../_support/containers.js';
import { parseMemInfo } from '../_support/proc-text.js';
import { Swap, swapSpace } from '../_support/swap.js';
import { kibPerMebibyte, mebibyte } from '../_support/units.js';

const containers = useContainers();
const test = containerTest;
const swapTest = containerTestWith(swapSpace);

/** Holds memory, then answers each line of input with `/proc/meminfo`. */
const holdAndRead = `
  held = bytearray(b'x') * (int(args[0]) * 2**20)
  while True:
      step(open('/proc/meminfo').read())
`;

async function hostMemInfo(): Promise<Record<string, number>> {
  return parseMemInfo(await readFile('/proc/meminfo', 'utf8'));
}

describe('a memory limit', () => {
  for (const limitMib of [64, 256]) {
    test(`of ${limitMib} MiB is MemTotal`, async () => {
      await using container = await containers().docker(['--memory', `${limitMib}m`]);
      const memInfo = await container.memInfo();
      expect(memInfo['MemTotal']).toBe(limitMib * kibPerMebibyte);
      expect(memInfo['MemFree']).toBeLessThanOrEqual(limitMib * kibPerMebibyte);
      expect(memInfo['MemAvailable']).toBeLessThanOrEqual(limitMib * kibPerMebibyte);
    });
  }

  test('is what is in use and what is free', async () => {
    await using container = await containers().docker(['--memory', '256m']);
    const cgroup = await ProcessCgroup.of(await container.pid());
    await using holder = container.python(holdAndRead, '80');
    await holder.next();

    const before = await cgroup.memoryBytes();
    holder.go();
    const memInfo = parseMemInfo(await holder.next<string>());
    const after = await cgroup.memoryBytes();
    const used = ((memInfo['MemTotal'] ?? 0) - (memInfo['MemFree'] ?? 0)) * 1024;
    expect(used).toBeGreaterThanOrEqual(Math.min(before, after) - mebibyte);
    expect(used).toBeLessThanOrEqual(Math.max(before, after) + mebibyte);
    expect(memInfo['AnonPages']).toBeGreaterThan(80 * kibPerMebibyte);
    expect(memInfo['AnonPages']).toBeLessThan(110 * kibPerMebibyte);
  });

  test('that is none is all of the host, less what others use', async () => {
    await using container = await containers().docker();
    const memInfo = await container.memInfo();
    const host = await hostMemInfo();
    expect(memInfo['MemTotal']).toBe(host['MemTotal']);
    expect(memInfo['MemFree']).toBeLessThanOrEqual((host['MemFree'] ?? 0) + 256 * kibPerMebibyte);
    expect(memInfo['MemAvailable']).toBeLessThanOrEqual(host['MemTotal'] ?? 0);
  });

  test('keeps the lines of the host and their order', async () => {
    await using container = await containers().docker(['--memory', '64m']);
    expect(Object.keys(await container.memInfo())).toEqual(Object.keys(await hostMemInfo()));
  });

  test('is the size that vmstat counts pages of', async () => {
    await using container = await containers().docker(['--memory', '64m']);
    const pages = /^nr_anon_pages (\d+)$/m.exec(await container.read('/lensfs/proc/vmstat'))?.[1];
    expect(Number(pages)).toBeGreaterThan(0);
    expect(Number(pages) * 4096).toBeLessThan(64 * mebibyte);
  });
});

describe('a swap limit', () => {
  swapTest('that is none more than memory shows no swap', async () => {
    await using _swap = await Swap.ensure(192 * mebibyte);
    await using container = await containers().docker(['--memory', '64m', '--memory-swap', '64m']);
    expect(await container.memInfo()).toMatchObject({ SwapTotal: 0, SwapFree: 0 });
    expect(await container.read('/proc/swaps')).toMatch(/^Filename.*\n$/);
  });

  swapTest('is SwapTotal, and what is swapped out is not SwapFree', async () => {
    await using _swap = await Swap.ensure(192 * mebibyte);
    await using container = await containers().docker(['--memory', '64m', '--memory-swap', '160m']);
    await using holder = container.python(holdAndRead, '96');
    const { SwapTotal = 0, SwapFree = 0 } = parseMemInfo(await holder.next<string>());
    expect(SwapTotal).toBe(96 * kibPerMebibyte);
    expect(SwapTotal - SwapFree).toBeGreaterThan(30 * kibPerMebibyte);
    expect(SwapFree).toBeGreaterThan(0);

    const swaps = await container.read('/proc/swaps');
    const [, size, used] = /^none\s+virtual\s+(\d+)\s+(\d+)\s+0$/m.exec(swaps) ?? [];
    expect(Number(size)).toBe(SwapTotal);
    expect(Number(used)).toBeGreaterThan(30 * kibPerMebibyte);
    expect(Number(used)).toBeLessThan(SwapTotal);
  });

  swapTest('that is none ends at what the host has', async () => {
    await using _swap = await Swap.ensure(192 * mebibyte);
    await using container = await containers().docker(['--memory', '64m', '--memory-swap', '-1']);
    const missing = async () => {
      const [seen, host] = [await container.memInfo(), await hostMemInfo()];
      return (host['SwapTotal'] ?? 0) - (seen['SwapTotal'] ?? 0);
    };
    await expect.poll(missing).toBe(0); // another run may add swap in between
    const { SwapTotal = 0, SwapFree } = await container.memInfo();
    expect(SwapTotal).toBeGreaterThan(0);
    expect(SwapFree).toBeLessThanOrEqual(SwapTotal);
  });
});

describe('every answer', () => {
  test('is of the container that asked', async () => {
    await containers().expectNoFallback();
  });
});
