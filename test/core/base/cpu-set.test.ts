// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

const cpus = fc.uniqueArray(fc.integer({ min: 0, max: 8191 }), { maxLength: 40 });

describe('ParseCpuList()', () => {
  it.each([
    ['0-3\n', '0-3'],
    ['5,0-2', '0-2,5'],
    ['0,1,2,4', '0-2,4'],
    ['8191\n', '8191'],
    ['\n', ''],
    ['', ''],
  ])('reads %j', (text, list) => {
    expect(core.parseCpuList(text)).toBe(list);
  });

  it.each(['a', '0-', '-3', '3-1', '8192', '0-3;5', '+1', '0x1', '1 2'])('rejects %j', (text) => {
    expect(() => core.parseCpuList(text)).toThrow(parseError(1));
  });

  it('reads back any set that WriteCpuList() writes', () => {
    fc.assert(
      fc.property(cpus, (members) => {
        const written = core.parseCpuList(members.join(','));
        expect(core.parseCpuList(written)).toBe(written);
        const count = written
          .split(',')
          .filter((part) => part !== '')
          .map((part) => part.split('-').map(Number))
          .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
        expect(count).toBe(members.length);
      }),
    );
  });
});

describe('WriteCpuMask()', () => {
  it.each([
    ['0-3', 4, 'f'],
    ['0', 2, '1'],
    ['0-3,32', 33, '1,0000000f'],
    ['0', 40, '00,00000001'],
    ['63', 64, '80000000,00000000'],
    ['', 8, '00'],
  ])('writes %j of %d CPUs as %s', (list, bits, mask) => {
    expect(core.writeCpuMask(list, bits)).toBe(mask);
  });

  it('is the inverse of ParseCpuMask()', () => {
    fc.assert(
      fc.property(cpus, (members) => {
        const list = core.parseCpuList(members.join(','));
        expect(core.parseCpuMask(core.writeCpuMask(list, 8192))).toBe(list);
      }),
    );
  });
});

describe('ParseCpuMask()', () => {
  it('reads groups of 32 bits, the last one first', () => {
    expect(core.parseCpuMask('1,0000000f\n')).toBe('0-3,32');
  });

  it.each(['', 'g', '1,', '1,,2', '123456789'])('rejects %j', (text) => {
    expect(() => core.parseCpuMask(text)).toThrow(parseError(1));
  });
});
