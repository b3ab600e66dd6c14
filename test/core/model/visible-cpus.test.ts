// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpusInput, members } from '../../_support/cpu-arbitraries.js';
import { type CpusInput, core } from '../../_support/testing-addon.js';

function derive(input: Partial<CpusInput>): string {
  return core.deriveVisibleCpus({ cpuset: '0-7', online: '0-7', ...input }).physical;
}

const half = { quota_usec: 50_000, period_usec: 100_000 };
const exactlyTwo = { quota_usec: 200_000, period_usec: 100_000 };
const twoAndABit = { quota_usec: 200_001, period_usec: 100_000 };

describe('DeriveVisibleCpus()', () => {
  it.each([
    ['the whole cpuset without a quota', {}, '0-7'],
    ['one CPU for a quota below one', { quota: half }, '0'],
    ['one CPU for a quota of nothing', { quota: { quota_usec: 0, period_usec: 100_000 } }, '0'],
    ['a whole quota as it is', { quota: exactlyTwo }, '0-1'],
    ['a broken quota rounded up', { quota: twoAndABit }, '0-2'],
    ['the lowest CPUs of the set', { cpuset: '2,5-7', quota: exactlyTwo }, '2,5'],
    ['no more than the set has', { cpuset: '3', quota: exactlyTwo }, '3'],
    ['only CPUs that are online', { cpuset: '0-7', online: '1,3' }, '1,3'],
    ['no quota when asked for the cpuset', { quota: half, count: 'cpuset' as const }, '0-7'],
    ['all online CPUs when the cpuset has none of them', { cpuset: '8', online: '0-1' }, '0-1'],
    ['a period of 0 as no quota', { quota: { quota_usec: 1, period_usec: 0 } }, '0-7'],
  ])('gives %s', (_what, input, list) => {
    expect(derive(input)).toBe(list);
  });

  it('says whether a quota hides CPUs of the set', () => {
    const cpuset = { cpuset: '0-1', online: '0-7' };
    expect(core.deriveVisibleCpus({ ...cpuset, quota: exactlyTwo }).whole_set).toBe(true);
    expect(core.deriveVisibleCpus({ ...cpuset, quota: half }).whole_set).toBe(false);
  });

  it('survives the largest quota', () => {
    const quota = { quota_usec: 2n ** 64n - 1n, period_usec: 1n };
    expect(derive({ quota })).toBe('0-7');
  });

  it('shows 1 to |set| CPUs, all of them online, for any input', () => {
    fc.assert(
      fc.property(cpusInput, (input) => {
        const visible = core.deriveVisibleCpus(input);
        const online = members(input.online);
        const set = members(input.cpuset).filter((cpu) => online.includes(cpu));
        const pool = set.length > 0 ? set : online;
        expect(members(visible.physical)).toEqual(pool.slice(0, visible.count));
        expect(visible.count).toBeGreaterThanOrEqual(1);
        expect(visible.whole_set).toBe(visible.count === pool.length);
      }),
    );
  });
});

describe('VisibleCpus.Shown()', () => {
  it('keeps physical numbers, or counts from 0', () => {
    const cpus = { cpuset: '2,5-7', online: '0-7' };
    expect(core.deriveVisibleCpus({ ...cpus, numbering: 'physical' }).shown).toBe('2,5-7');
    expect(core.deriveVisibleCpus({ ...cpus, numbering: 'virtual' }).shown).toBe('0-3');
  });
});

describe('VisibleCpus.ShownOf()', () => {
  it('cuts a list to the visible CPUs, under the numbers that are shown', () => {
    const cpus = { cpuset: '2,5-7', online: '0-7' };
    expect(core.shownOf({ ...cpus, numbering: 'physical' }, '0-5')).toBe('2,5');
    expect(core.shownOf({ ...cpus, numbering: 'virtual' }, '0-5')).toBe('0-1');
    expect(core.shownOf({ ...cpus, numbering: 'virtual' }, '3-4')).toBe('');
  });
});

describe('SmallerQuota()', () => {
  it('compares quotas of different periods', () => {
    const coarse = { quota_usec: 200_000n, period_usec: 100_000n };
    const fine = { quota_usec: 15_000n, period_usec: 10_000n };
    expect(core.smallerQuota(coarse, fine)).toEqual(fine);
    expect(core.smallerQuota(fine, coarse)).toEqual(fine);
  });

  it('takes any quota for smaller than none', () => {
    const quota = { quota_usec: 200_000n, period_usec: 100_000n };
    expect(core.smallerQuota(null, quota)).toEqual(quota);
    expect(core.smallerQuota(quota, null)).toEqual(quota);
    expect(core.smallerQuota(null, null)).toBeNull();
  });

  it('does not overflow', () => {
    const huge = { quota_usec: 2n ** 63n, period_usec: 1n };
    const small = { quota_usec: 1n, period_usec: 2n ** 63n };
    expect(core.smallerQuota(huge, small)).toEqual(small);
  });
});
