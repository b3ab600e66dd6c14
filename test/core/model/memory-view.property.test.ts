// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memInfoText, memInfoValues } from '../../_support/core-texts.js';
import { core, type MemoryStat } from '../../_support/testing-addon.js';

const anyKib = fc.bigInt({ min: 0n, max: 1n << 34n });
const anyBytes = fc.oneof(
  fc.bigInt({ min: 0n, max: 1n << 44n }),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);

const statKeys: (keyof MemoryStat)[] = [
  ...(['anon', 'file', 'shmem', 'file_mapped', 'active_anon', 'inactive_anon'] as const),
  ...(['active_file', 'inactive_file', 'unevictable', 'slab_reclaimable', 'slab'] as const),
  ...(['kernel_stack', 'percpu', 'anon_thp', 'zswap', 'zswapped', 'swapcached'] as const),
];

const memory = fc.record({
  limit_bytes: fc.option(anyBytes),
  usage_bytes: anyBytes,
  swap_limit_bytes: fc.option(anyBytes),
  swap_usage_bytes: anyBytes,
  stat: fc.record(Object.fromEntries(statKeys.map((key) => [key, anyBytes]))),
});

const labels = [
  ...['MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SwapCached', 'Active', 'Inactive'],
  ...['Active(anon)', 'Inactive(file)', 'Unevictable', 'Mlocked', 'SwapTotal', 'SwapFree'],
  ...['Zswap', 'Dirty', 'AnonPages', 'Mapped', 'Shmem', 'KReclaimable', 'Slab', 'KernelStack'],
  ...['CommitLimit', 'Committed_AS', 'Percpu', 'HardwareCorrupted', 'AnonHugePages', 'Balloon'],
];

const host = fc
  .record({
    MemTotal: anyKib.filter((kib) => kib > 0n),
    ...Object.fromEntries(labels.map((label) => [label, anyKib])),
  })
  .map((lines) => memInfoText(lines));

const policy = fc.record({ swap: fc.boolean(), overcommit_ratio: fc.nat({ max: 1_000 }) });

/** What a reader of the rendered file sees. */
function shown(of: Parameters<typeof core.deriveMemoryView>): Record<string, bigint> {
  const view = core.deriveMemoryView(...of);
  return memInfoValues(core.renderMemInfo({ host_meminfo: of[1], memory: view }));
}

function forAll(check: (shown: Record<string, bigint>, host: Record<string, bigint>) => void) {
  fc.assert(
    fc.property(memory, host, policy, (memoryInput, text, policyInput) => {
      check(shown([memoryInput, text, policyInput]), memInfoValues(text));
    }),
  );
}

/** A line that every generated host has. */
function line(values: Record<string, bigint>, label: string): bigint {
  const value = values[label];
  if (value === undefined) throw new Error(`No such line: "${label}"`);
  return value;
}

describe('meminfo, for any cgroup and any host,', () => {
  it('shows no value above the host', () => {
    forAll((values, hostValues) => {
      for (const label of Object.keys(hostValues)) {
        expect(line(values, label), label).toBeLessThanOrEqual(line(hostValues, label));
      }
    });
  });

  it('has the lines of the host, in its order', () => {
    forAll((values, hostValues) => {
      expect(Object.keys(values)).toEqual(Object.keys(hostValues));
    });
  });

  it('shows parts that are not above their whole', () => {
    forAll((values) => {
      const total = line(values, 'MemTotal');
      expect(total).toBeGreaterThan(0n);
      expect(line(values, 'MemFree')).toBeLessThanOrEqual(total);
      expect(line(values, 'MemAvailable')).toBeLessThanOrEqual(total);
      expect(line(values, 'SwapFree')).toBeLessThanOrEqual(line(values, 'SwapTotal'));
      const cached = line(values, 'Cached');
      const free = line(values, 'MemFree') + line(values, 'Buffers') + cached;
      expect(free).toBeLessThanOrEqual(total + cached);
    });
  });
});
