// SPDX-License-Identifier: Apache-2.0
// That lensfs-verify finds what test/mount/pinned-integrity.test.ts says is not there.
import { closeSync, openSync, writeSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { broken, type Verified, verify, verifyProgram } from '../_support/verify.js';

const test = testWith(built(verifyProgram));

const meminfo = (totalKib: number, commitKib: number) =>
  [
    `MemTotal:       ${totalKib} kB`,
    'MemFree:        10 kB',
    'MemAvailable:   20 kB',
    'SwapTotal:      0 kB',
    `CommitLimit:    ${commitKib} kB`,
    'HugePages_Total:       0\n',
  ].join('\n');

const stat = (ctxt: number, softirq: number) =>
  [
    'cpu  1 2 3 4 0 0 0 5 0 0',
    'cpu0 1 2 3 4 0 0 0 5 0 0',
    `intr 100\nctxt ${ctxt}\nbtime 7\nprocesses 8`,
    `procs_running 1\nprocs_blocked 0\nsoftirq ${softirq}\n`,
  ].join('\n');

const good: Record<string, string> = {
  meminfo: meminfo(2000, 1000),
  stat: stat(5, 6),
  loadavg: '0.00 0.01 12.05 1/23 456     \n',
  uptime: '12.34 56.78   \n',
  swaps: 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\nnone virtual 1024 10 0  \n',
};

async function verifyText(name: string, text: string): Promise<Verified> {
  await using dir = await TempDir.create();
  await writeFile(dir.at(name), text);
  return await verify(dir.at(name));
}

/** Reads a file whose content changes in place between two texts of the same length. */
async function verifyChanging(name: string, texts: readonly [string, string]): Promise<Verified> {
  await using dir = await TempDir.create();
  await writeFile(dir.at(name), texts[0]);
  const fd = openSync(dir.at(name), 'r+');
  let isOver = false;
  const verified = verify(dir.at(name), { seconds: 0.3 }).finally(() => {
    isOver = true;
  });
  for (let turn = 1; !isOver; ++turn) {
    writeSync(fd, texts[turn % 2 === 0 ? 0 : 1], 0);
    await new Promise(setImmediate);
  }
  closeSync(fd);
  return await verified;
}

describe('lensfs-verify', () => {
  for (const [name, text] of Object.entries(good)) {
    test(`accepts a good ${name}`, async () => {
      const verified = await verifyText(name, text);
      expect(broken(verified)).toEqual({});
      expect(verified.reads).toBeGreaterThan(100);
      expect(verified.texts).toBe(1);
      expect(verified.size).toBe(text.length);
    });
  }

  const bad: [what: string, rules: string[], name: string, text: string][] = [
    ['a NUL', ['nul', 'parse'], 'uptime', '12.34 56\0.8\n'],
    ['a cut text', ['newline', 'parse'], 'stat', stat(5, 6).slice(0, 60)],
    ['an empty file', ['newline', 'parse'], 'loadavg', ''],
    ['a number that is none', ['parse'], 'loadavg', '0.00 0.01 x.05 1/23 456\n'],
    [
      'another first key',
      ['parse'],
      'meminfo',
      meminfo(2000, 1000).replace('MemTotal', 'MemFirst'),
    ],
    ['halves of two renderings', ['mixed'], 'meminfo', meminfo(2000, 1001)],
    ['more running than there are', ['mixed'], 'loadavg', '0.00 0.01 0.05 24/23 456\n'],
    [
      'more swap used than there is',
      ['mixed'],
      'swaps',
      good['swaps']?.replace(' 10 ', ' 2024 ') ?? '',
    ],
  ];
  for (const [what, rules, name, text] of bad) {
    test(`finds ${what}`, async () => {
      const verified = await verifyText(name, text);
      expect(Object.keys(broken(verified))).toEqual(rules);
      for (const count of Object.values(broken(verified))) expect(count).toBe(verified.reads);
      expect(verified.example).toBe(text);
    });
  }

  test('finds two texts with one key', async () => {
    const verified = await verifyChanging('stat', [stat(5, 6), stat(5, 7)]);
    expect(broken(verified)['mixed']).toBeGreaterThan(0);
  });

  test('finds counters that go back', async () => {
    const verified = await verifyChanging('uptime', ['12.34 56.78\n', '12.35 56.78\n']);
    expect(broken(verified)['order']).toBeGreaterThan(0);
  });
});
