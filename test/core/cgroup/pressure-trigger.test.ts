// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { core } from '../../_support/testing-addon.js';

describe('NormalizeTrigger()', () => {
  it.each([
    ['some 150000 1000000', 'some 300000 2000000'],
    ['full 500000 500000\n', 'full 2000000 2000000'],
    ['some 1 2000000', 'some 1 2000000'],
    ['  full\t20000  10000000 and more', 'full 20000 10000000'],
    ['some 9000000 9000000', 'some 10000000 10000000'],
    ['some 1 2000000\0 rest', 'some 1 2000000'],
  ])('makes %j %j', (text, expected) => {
    expect(core.normalizeTrigger(text)).toBe(expected);
  });

  it.each([
    '',
    'some',
    'some 1',
    'none 1 2000000',
    'some 0 2000000',
    'some 2000001 2000000',
    'some 1 499999',
    'some 1 10000001',
    'some -1 2000000',
    'some 1s 2000000',
    'some 1 4294967296',
    'some1 2000000',
  ])('rejects %j', (text) => {
    expect(() => core.normalizeTrigger(text)).toThrow(/EINVAL|Invalid argument/);
  });

  it('keeps the share of time, in a window that the kernel takes from everybody', () => {
    const windows = fc.integer({ min: 500_000, max: 10_000_000 });
    fc.assert(
      fc.property(windows, fc.double({ min: 0.001, max: 1, noNaN: true }), (window, share) => {
        const stall = Math.max(1, Math.floor(window * share));
        const words = core.normalizeTrigger(`some ${stall} ${window}`).split(' ').map(Number);
        const [, newStall = 0, newWindow = 0] = words;
        expect(newWindow % 2_000_000).toBe(0);
        expect(newWindow).toBeGreaterThanOrEqual(window);
        expect(Math.abs(newStall / newWindow - stall / window)).toBeLessThan(1e-6);
      }),
    );
  });
});
