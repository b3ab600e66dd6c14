// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

describe('ParseCpuStatV2()', () => {
  it('reads user, nice, system and throttled time', () => {
    const text =
      'usage_usec 5\nuser_usec 3\nsystem_usec 2\nnice_usec 1\nnr_periods 9\nthrottled_usec 7\n';
    expect(core.parseCpuStatV2(text)).toEqual({
      user_usec: 3n,
      nice_usec: 1n,
      system_usec: 2n,
      throttled_usec: 7n,
    });
  });

  it('leaves missing keys 0', () => {
    expect(core.parseCpuStatV2('')).toMatchObject({ user_usec: 0n, throttled_usec: 0n });
  });

  it.each(['user_usec\n', 'user_usec x\n', 'user_usec -1\n', 'throttled_usec 1.5\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseCpuStatV2(`usage_usec 5\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/v2-[^:]*:cgroup\/.*cpu\.stat$/))('reads $name', ({ text }) => {
    const usage = core.parseCpuStatV2(text);
    expect(usage.system_usec).toBe(BigInt(/^system_usec (\d+)$/m.exec(text)?.[1] ?? 0));
  });
});

describe('ParseThrottledV1()', () => {
  it('reads nanoseconds as microseconds, rounded down', () => {
    expect(core.parseThrottledV1('nr_periods 4\nnr_throttled 2\nthrottled_time 1999\n')).toBe(1n);
  });

  it('is 0 when there is none', () => {
    expect(core.parseThrottledV1('')).toBe(0n);
  });

  it('rejects a bad number, with its line', () => {
    expect(() => core.parseThrottledV1('nr_periods 4\nthrottled_time x\n')).toThrow(parseError(2));
  });
});

describe('ParseUsageAll()', () => {
  it('reads each CPU, nanoseconds as microseconds', () => {
    expect(core.parseUsageAll('cpu user system\n0 1234567 2000\n7 0 999\n')).toEqual([
      { cpu: 0, user_usec: 1234n, system_usec: 2n },
      { cpu: 7, user_usec: 0n, system_usec: 0n },
    ]);
  });

  it.each(['', '0 1 2\n', 'cpu system user\n'])('rejects %j for its header', (text) => {
    expect(() => core.parseUsageAll(text)).toThrow(parseError(1));
  });

  it.each(['x 1 2\n', '0 1\n', '0 -1 2\n', '4294967296 1 2\n', '\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseUsageAll(`cpu user system\n0 1 2\n${line}`)).toThrow(parseError(3));
    },
  );

  it.each(capturedTexts(/:cgroup\/.*cpuacct\.usage_all$/))('reads $name', ({ text }) => {
    expect(core.parseUsageAll(text)).toHaveLength(text.split('\n').length - 2);
  });
});

describe('ParseCpuMax()', () => {
  it('reads a quota', () => {
    expect(core.parseCpuMax('50000 100000\n')).toEqual({
      quota_usec: 50000n,
      period_usec: 100000n,
    });
  });

  it('reads "max" as no quota', () => {
    expect(core.parseCpuMax('max 100000\n')).toBeNull();
  });

  it.each(['', '\n', '50000\n', '50000 0\n', '-1 100000\n', 'x 100000\n', '1 2 3\n'])(
    'rejects %j',
    (text) => {
      expect(() => core.parseCpuMax(text)).toThrow(parseError(1));
    },
  );

  it.each(capturedTexts(/v2-[^:]*:cgroup\/.*cpu\.max$/))('reads $name', ({ text }) => {
    expect(core.parseCpuMax(text) === null).toBe(text.startsWith('max'));
  });
});

describe('ParseCfsQuota()', () => {
  it('reads a quota and a period', () => {
    expect(core.parseCfsQuota('150000\n', '100000\n')).toEqual({
      quota_usec: 150000n,
      period_usec: 100000n,
    });
  });

  it('reads -1 as no quota', () => {
    expect(core.parseCfsQuota('-1\n', '100000\n')).toBeNull();
  });

  it.each([
    ['-2\n', '100000\n'],
    ['', '100000\n'],
    ['1000\n', '0\n'],
    ['1000\n', ''],
  ])('rejects %j of %j', (quota, period) => {
    expect(() => core.parseCfsQuota(quota, period)).toThrow(parseError(1));
  });
});
