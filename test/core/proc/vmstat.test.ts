// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

describe('ParseVmStat()', () => {
  it('reads every line in order', () => {
    expect(core.parseVmStat('nr_free_pages 12\npgfault 0\n')).toEqual([
      { key: 'nr_free_pages', value: 12n },
      { key: 'pgfault', value: 0n },
    ]);
  });

  it('rejects an empty text', () => {
    expect(() => core.parseVmStat('')).toThrow(parseError(1));
  });

  it.each(['pgfault\n', 'pgfault x\n', 'pgfault -1\n', ' 1\n', 'pgfault 1 2\n', '\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseVmStat(`nr_dirty 1\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/:proc\/vmstat$/))('reads $name', ({ text }) => {
    expect(core.parseVmStat(text)).toHaveLength(text.split('\n').length - 1);
  });
});
