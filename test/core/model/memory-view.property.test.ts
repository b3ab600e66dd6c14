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

const level = {
  limit_bytes: fc.option(anyBytes),
  high_bytes: fc.option(anyBytes),
  usage_bytes: anyBytes,
  swap_limit_bytes: fc.option(anyBytes),
  swap_usage_bytes: anyBytes,
  stat: fc.record(Object.fromEntries(statKeys.map((key) => [key, anyBytes]))),
};
const memory = fc.record({ ...level, ancestors: fc.array(fc.record(level), { maxLength: 4 }) });

const labels = [
  ...['MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SwapCached', 'Active', 'Inactive'],
  ...['Active(anon)', 'Inactive(file)', 'Unevictable', 'Mlocked', 'SwapTotal', 'SwapFree'],
  ...['Zswap', 'Dirty', 'AnonPages', 'Mapped', 'Shmem', 'KReclaimable', 'Slab', 'KernelStack'],
  ...[
    'SReclaimable',
    'SUnreclaim',
    'CommitLimit',
    'Committed_AS',
    'Percpu',
    'HardwareCorrupted',
    'AnonHugePages',
    'Balloon',
  ],
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
  it('shows no value above the host, but for what is free of a limit', () => {
    forAll((values, hostValues) => {
      for (const label of Object.keys(hostValues)) {
        if (label === 'MemFree') continue;
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
      const parts = ['MemFree', 'Buffers', 'Cached', 'SReclaimable'];
      const sum = parts.reduce((all, label) => all + (values[label] ?? 0n), 0n);
      expect(sum).toBeLessThanOrEqual(total);
    });
  });

  it('shows no more than any level leaves', () => {
    fc.assert(
      fc.property(memory, host, (memoryInput, text) => {
        const values = shown([memoryInput, text, {}]);
        for (const each of [memoryInput, ...memoryInput.ancestors]) expectRoom(values, each);
      }),
    );
  });
});

interface Level {
  limit_bytes: bigint | null;
  high_bytes: bigint | null;
  usage_bytes: bigint;
  stat: Record<string, bigint>;
}

function expectRoom(values: Record<string, bigint>, level: Level): void {
  const { limit_bytes, high_bytes, usage_bytes, stat } = level;
  const reclaimable = ['active_file', 'inactive_file', 'slab_reclaimable']
    .map((key) => stat[key] ?? 0n)
    .reduce((sum, bytes) => sum + bytes);
  const above = (limit: bigint, used: bigint) => (limit > used ? limit - used : 0n) / 1024n;
  const kept = usage_bytes > reclaimable ? usage_bytes - reclaimable : 0n;
  if (limit_bytes !== null) {
    expect(line(values, 'MemFree')).toBeLessThanOrEqual(above(limit_bytes, usage_bytes));
  }
  for (const bound of [limit_bytes, high_bytes].filter((each) => each !== null)) {
    expect(line(values, 'MemAvailable')).toBeLessThanOrEqual(above(bound, kept));
  }
}
