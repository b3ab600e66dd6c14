// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import type { CpusInput } from './testing-addon.js';

const cpuCount = 12;

/** The numbers in a list such as "0-2,5". */
export function members(list: string): number[] {
  return list
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** A list of CPUs below `cpuCount`, at least one. */
export const cpuList: fc.Arbitrary<string> = fc
  .uniqueArray(fc.nat({ max: cpuCount - 1 }), { minLength: 1 })
  .map((cpus) => cpus.sort((a, b) => a - b).join(','));

const quota = fc.record({
  quota_usec: fc.nat({ max: 1_500_000 }),
  period_usec: fc.integer({ min: 1_000, max: 200_000 }),
});

/** Any cpuset, quota and policy on a machine of `cpuCount` CPUs. */
export const cpusInput = fc.record({
  cpuset: cpuList,
  online: cpuList,
  quota: fc.option(quota, { nil: null }),
  count: fc.constantFrom('quota' as const, 'cpuset' as const),
  numbering: fc.constantFrom('physical' as const, 'virtual' as const),
}) satisfies fc.Arbitrary<CpusInput>;
