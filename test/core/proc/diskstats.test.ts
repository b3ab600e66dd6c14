// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

const vda = ' 254       0 vda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n';

describe('ParseDiskStats()', () => {
  it('reads counters and counts columns', () => {
    expect(core.parseDiskStats(vda)).toEqual([
      {
        major: 254,
        minor: 0,
        name: 'vda',
        value_count: 17,
        reads: 1n,
        read_sectors: 3n,
        writes: 5n,
        write_sectors: 7n,
        discards: 12n,
        discard_sectors: 14n,
      },
    ]);
  });

  it('reads eleven columns of an old kernel', () => {
    const [line] = core.parseDiskStats('   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11\n');
    expect(line).toMatchObject({ value_count: 11, write_sectors: 7n, discards: 0n });
  });

  it('reads an empty text as no devices', () => {
    expect(core.parseDiskStats('')).toEqual([]);
  });

  it.each([
    ['a major that is not a number', 'x 0 vda 1 2 3 4 5 6 7 8 9 10 11\n'],
    ['a major beyond 32 bits', '4294967296 0 vda 1 2 3 4 5 6 7 8 9 10 11\n'],
    ['a line without a name', '254 0\n'],
    ['too few columns', '254 0 vda 1 2 3 4 5 6 7 8 9 10\n'],
    ['a counter that is not a number', '254 0 vda 1 2 3 4 5 6 -7 8 9 10 11\n'],
    ['an empty line', '\n'],
  ])('rejects %s, with its line', (_what, line) => {
    expect(() => core.parseDiskStats(vda + line)).toThrow(parseError(2));
  });

  it.each(capturedTexts(/:proc\/diskstats$/))('reads $name', ({ text }) => {
    const lines = core.parseDiskStats(text);
    expect(lines).toHaveLength(text.split('\n').length - 1);
    expect(lines.every(({ value_count }) => value_count === 17)).toBe(true);
  });
});
