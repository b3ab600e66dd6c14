// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { CauseLimiter } from '../../src/control/cause-limiter.js';

test('A cause is admitted once a minute, with how often it was not', () => {
  const limiter = new CauseLimiter();
  expect(limiter.admit('disk', 0)).toBe(0);
  expect(limiter.admit('disk', 59_999)).toBeNull();
  expect(limiter.admit('disk', 59_999)).toBeNull();
  expect(limiter.admit('other', 59_999)).toBe(0);
  expect(limiter.admit('disk', 60_000)).toBe(2);
  expect(limiter.admit('disk', 60_001)).toBeNull();
});

test('Causes without end take no memory without end, and each is admitted', () => {
  const limiter = new CauseLimiter();
  const admitted = Array.from({ length: 1_000 }, (_, index) => limiter.admit(`${index}`, 0));
  expect(admitted.every((skipped) => skipped === 0)).toBe(true);
});
