// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { core } from '../../_support/testing-addon.js';

const numbers = (...values: (number | bigint)[]) => values.join(' ');
const host = [
  `   7       0 loop0 ${numbers(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)}`,
  ` 254       0 vda ${numbers(100, 0, 800, 0, 200, 0, 1600, 0, 0, 0, 0, 10, 0, 80, 0, 1, 1)}`,
  `   8      16 sdb ${numbers(100, 0, 800, 0, 200, 0, 1600, 0, 0, 0, 0)}`,
  '',
].join('\n');

const derive = (...devices: Parameters<typeof core.deriveDiskRows>[1]['devices']) =>
  core.deriveDiskRows(host, { devices });

describe('DeriveDiskRows()', () => {
  it('turns bytes into sectors and keeps the layout of the host', () => {
    const counters = { rios: 3, rbytes: 5120, wios: 4, wbytes: 1023, dios: 1, dbytes: 512 };
    expect(derive({ major: 254, minor: 0, ...counters })[1]).toEqual({
      major: 254,
      minor: 0,
      name: 'vda',
      value_count: 17,
      reads: 3n,
      read_sectors: 10n,
      writes: 4n,
      write_sectors: 1n,
      discards: 1n,
      discard_sectors: 1n,
    });
  });

  it('keeps the order of the host', () => {
    const rows = derive({ major: 8, minor: 16, rios: 1 }, { major: 254, minor: 0, rios: 1 });
    expect(rows.map(({ name, reads }) => `${name} ${reads}`)).toEqual([
      'loop0 0',
      'vda 1',
      'sdb 1',
    ]);
  });

  it('has every device of the host, with 0 where there was no I/O, and no other', () => {
    const rows = derive(
      { major: 254, minor: 0 },
      { major: 9, minor: 9, rios: 5 },
      { major: 7, minor: 0, rios: 5 },
    );
    expect(rows.map(({ name }) => name)).toEqual(['loop0', 'vda', 'sdb']);
    for (const { major, minor, name, value_count, ...counters } of rows) {
      expect([...new Set(Object.values(counters))]).toEqual([0n]);
    }
    expect(derive()).toEqual(rows);
  });

  it('shows no counter above the host', () => {
    const count = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(count, count, count, (rios, wbytes, dios) => {
        for (const row of derive({ major: 254, minor: 0, rios, wbytes, dios })) {
          expect(row.reads).toBeLessThanOrEqual(100n);
          expect(row.write_sectors).toBeLessThanOrEqual(1600n);
          expect(row.discards).toBeLessThanOrEqual(10n);
        }
      }),
    );
  });
});
