// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

describe('ParseMemInfo()', () => {
  it('keeps every line in the order of the text', () => {
    const text =
      'MemTotal:       24684084 kB\nActive(anon):       1532 kB\nHugePages_Total:       7\nNew:  1 kB\n';

    expect(core.parseMemInfo(text)).toEqual([
      { label: 'MemTotal', value: 24684084n, has_unit: true },
      { label: 'Active(anon)', value: 1532n, has_unit: true },
      { label: 'HugePages_Total', value: 7n, has_unit: false },
      { label: 'New', value: 1n, has_unit: true },
    ]);
  });

  it('takes a last line without its newline', () => {
    expect(core.parseMemInfo('MemTotal: 1 kB')).toHaveLength(1);
  });

  it('takes the largest number', () => {
    expect(core.parseMemInfo('A: 18446744073709551615 kB\n')[0]?.value).toBe(2n ** 64n - 1n);
  });

  it('keeps at most 128 lines', () => {
    expect(core.parseMemInfo('A: 1 kB\n'.repeat(200))).toHaveLength(128);
  });

  it('rejects an empty text', () => {
    expect(() => core.parseMemInfo('')).toThrow(parseError(1));
  });

  it.each([
    ['a line without a colon', 'MemTotal 1 kB\n'],
    ['a line without a label', ': 1 kB\n'],
    ['a line without a number', 'MemTotal: kB\n'],
    ['a signed number', 'MemTotal: -1 kB\n'],
    ['a number beyond 64 bits', 'MemTotal: 18446744073709551616 kB\n'],
    ['another unit', 'MemTotal: 1 MB\n'],
    ['a second value', 'MemTotal: 1 kB 2\n'],
    ['an empty line', '\n'],
  ])('rejects %s, with its line', (_what, line) => {
    expect(() => core.parseMemInfo(`MemTotal: 1 kB\n${line}`)).toThrow(parseError(2));
  });

  it.each(capturedTexts(/:proc\/meminfo$/))('reads $name', ({ text }) => {
    const lines = core.parseMemInfo(text);
    expect(lines).toHaveLength(text.split('\n').length - 1);
    expect(lines[0]?.label).toBe('MemTotal');
  });
});
