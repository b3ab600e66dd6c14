// SPDX-License-Identifier: Apache-2.0
// The checklist of value bugs that LXCFS has had, meminfo: points 1 to 9.
import { describe, expect, test } from 'vitest';
import { parseMemInfo } from '../_support/proc-text.js';
import { Specimen } from '../_support/specimen.js';
import { mebibyte } from '../_support/units.js';

const kib = 1024;

/** A memory.stat whose values are 1, 2, 3, ... MiB, and what each key counts in MiB. */
function numberedStat(keys: readonly string[]): { text: string; mib: Record<string, number> } {
  const entries = keys.map((key, index) => [key, index + 1] as const);
  const text = entries.map(([key, value]) => `${key} ${value * mebibyte}`).join('\n');
  return { text, mib: Object.fromEntries(entries) };
}

/** A memory.stat of v1: the kernel says there what the smallest limits are. */
function v1Stat(swapMib: number, ...lines: string[]): string {
  const limits = { hierarchical_memory_limit: 64, hierarchical_memsw_limit: 64 + swapMib };
  const first = Object.entries(limits).map(([key, value]) => `${key} ${value * mebibyte}`);
  return [...first, ...lines].join('\n');
}

function linesInMib(memInfo: Record<string, number>, labels: readonly string[]) {
  return Object.fromEntries(labels.map((label) => [label, (memInfo[label] ?? Number.NaN) / kib]));
}

/** Enough of everything: a container's value is never above its host's. */
async function enlargeHost(specimen: Specimen): Promise<void> {
  const text = await specimen.host.tree.read('proc/meminfo');
  const large = text
    .replace(/^(\S+): +\d+ kB$/gm, '$1: 99999999 kB')
    .replace(/^MemFree: .*$/m, 'MemFree: 0 kB');
  await specimen.host.tree.write('proc/meminfo', large);
}

describe('meminfo', () => {
  test('(1) MemFree, SwapFree and AnonPages end at 0, and do not wrap', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({
      'memory.current': 65 * mebibyte,
      'memory.swap.current': 65 * mebibyte,
      'memory.stat': `anon 0\nshmem ${9 * mebibyte}\nactive_anon 0\ninactive_anon 0`,
    });
    expect(v2.memInfo()).toMatchObject({ MemFree: 0, SwapFree: 0, AnonPages: 0 });

    await using v1 = await Specimen.unpack('v1');
    await v1.setCgroup({
      'memory.usage_in_bytes': 65 * mebibyte,
      'memory.stat': v1Stat(64, `total_swap ${65 * mebibyte}`, `total_shmem ${9 * mebibyte}`),
    });
    expect(v1.memInfo()).toMatchObject({ MemFree: 0, SwapFree: 0, AnonPages: 0 });
  });

  test('(2) each line has the key that counts it', async () => {
    const v2Lines = {
      AnonPages: 'anon',
      Mapped: 'file_mapped',
      Dirty: 'file_dirty',
      Writeback: 'file_writeback',
      AnonHugePages: 'anon_thp',
      ShmemHugePages: 'shmem_thp',
      FileHugePages: 'file_thp',
      KernelStack: 'kernel_stack',
      PageTables: 'pagetables',
      SecPageTables: 'sec_pagetables',
      Percpu: 'percpu',
      SwapCached: 'swapcached',
      KReclaimable: 'slab_reclaimable',
      Shmem: 'shmem',
      Cached: 'file',
    };
    await using v2 = await Specimen.unpack('v2');
    await enlargeHost(v2);
    const v2Stat = numberedStat(Object.values(v2Lines));
    await v2.setCgroup({ 'memory.stat': v2Stat.text, 'memory.current': 64 * mebibyte });
    const v2Labels = Object.keys(await labelsOf(v2)).filter((label) => label in v2Lines);
    expect(linesInMib(v2.memInfo(), v2Labels)).toEqual(expected(v2Lines, v2Stat.mib, v2Labels));
    expect(v2Labels).toContain('Percpu');

    const v1Lines = {
      AnonHugePages: 'total_rss_huge',
      AnonPages: 'total_rss',
      SwapCached: 'total_swapcached',
      Mapped: 'total_mapped_file',
      Dirty: 'total_dirty',
      Cached: 'total_cache',
    };
    await using v1 = await Specimen.unpack('v1');
    await enlargeHost(v1);
    const v1Numbers = numberedStat(Object.values(v1Lines));
    await v1.setCgroup({
      'memory.stat': v1Numbers.text,
      'memory.usage_in_bytes': 64 * mebibyte,
    });
    const v1Labels = Object.keys(v1Lines);
    expect(linesInMib(v1.memInfo(), v1Labels)).toEqual(expected(v1Lines, v1Numbers.mib, v1Labels));
  });

  function expected(
    lines: Record<string, string>,
    mib: Record<string, number>,
    labels: readonly string[],
  ) {
    return Object.fromEntries(labels.map((label) => [label, mib[lines[label] ?? '']]));
  }

  async function labelsOf(specimen: Specimen): Promise<Record<string, number>> {
    return parseMemInfo(await specimen.host.tree.read('proc/meminfo'));
  }

  test('(3) a key is not taken for one that begins like it', async () => {
    await using v2 = await Specimen.unpack('v2');
    await enlargeHost(v2);
    const v2Keys = ['file_mapped', 'file_thp', 'filet', 'anon_thp', 'anonymous', 'file', 'anon'];
    const v2Stat = numberedStat([...v2Keys, 'file_', 'anon_']);
    await v2.setCgroup({ 'memory.stat': v2Stat.text, 'memory.current': 64 * mebibyte });
    expect(v2.memInfo()).toMatchObject({ Cached: 6 * kib, AnonPages: 7 * kib, Mapped: kib });

    await using v1 = await Specimen.unpack('v1');
    await enlargeHost(v1);
    const v1Keys = ['total_rss_huge', 'rss', 'total_rss', 'total_cache_', 'cache', 'total_cache'];
    await v1.setCgroup({
      'memory.stat': numberedStat([...v1Keys, 'total_rss_']).text,
      'memory.usage_in_bytes': 64 * mebibyte,
    });
    expect(v1.memInfo()).toMatchObject({ AnonPages: 3 * kib, Cached: 6 * kib, AnonHugePages: kib });
  });

  test('(4) the root cgroup, which counts nothing, shows the host', async () => {
    for (const version of ['v2', 'v1'] as const) {
      await using specimen = await Specimen.unpack(version);
      const host = await specimen.host.tree.read('proc/meminfo');
      expect(specimen.read('proc/meminfo', {}, 1)).toBe(host);
    }
  });

  test('(5) without a limit MemFree and MemAvailable are no more than the host has', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({ 'memory.max': 'max', 'memory.current': 0 });
    await v2.setHostLines('proc/meminfo', {
      'MemFree:': 'MemFree:          2000 kB',
      'MemAvailable:': 'MemAvailable:     3000 kB',
    });
    const { MemTotal, MemFree, MemAvailable } = v2.memInfo();
    expect(MemTotal).toBe((await labelsOf(v2))['MemTotal']);
    expect(MemFree).toBeLessThanOrEqual(2000);
    expect(MemAvailable).toBeLessThanOrEqual(3000);
  });

  test('(6) MemAvailable is no more than MemTotal', async () => {
    for (const version of ['v2', 'v1'] as const) {
      await using specimen = await Specimen.unpack(version);
      const prefix = version === 'v1' ? 'total_' : '';
      const keys = ['active_file', 'inactive_file', 'slab_reclaimable'];
      const lines = keys.map((key) => `${prefix}${key} ${60 * mebibyte}`);
      const stat = version === 'v1' ? v1Stat(0, ...lines) : lines.join('\n');
      const usage = version === 'v1' ? 'memory.usage_in_bytes' : 'memory.current';
      await specimen.setCgroup({ 'memory.stat': stat, [usage]: mebibyte });
      const { MemTotal = 0, MemAvailable } = specimen.memInfo();
      expect(MemTotal).toBe(64 * kib);
      expect(MemAvailable).toBeLessThanOrEqual(MemTotal);
    }
  });

  test('(7) CommitLimit, Committed_AS and HugePages are of the container, DirectMap is not', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.host.tree.write('proc/sys/vm/overcommit_ratio', '25\n');
    await v2.setCgroup({
      'memory.stat': `anon ${3 * mebibyte}\nshmem ${2 * mebibyte}`,
      'memory.swap.current': mebibyte,
      'hugetlb.2MB.max': 8 * mebibyte,
      'hugetlb.2MB.current': 2 * mebibyte,
    });
    await v2.setHostLines('proc/meminfo', {
      'HugePages_Total:': 'HugePages_Total:      16',
      'HugePages_Free:': 'HugePages_Free:       16',
      'Hugetlb:': 'Hugetlb:           32768 kB',
    });
    const host = await labelsOf(v2);
    expect(v2.memInfo()).toMatchObject({
      CommitLimit: (64 + 64 / 4) * kib,
      Committed_AS: 6 * kib,
      HugePages_Total: 4,
      HugePages_Free: 3,
      Hugetlb: 8 * kib,
      DirectMap4k: host['DirectMap4k'],
      VmallocTotal: host['VmallocTotal'],
    });
  });

  test('(8) memory.high, which slows down but is no size, is no limit', async () => {
    await using v2 = await Specimen.unpack('v2');
    await v2.setCgroup({ 'memory.high': 10 * mebibyte });
    expect(v2.memInfo()['MemTotal']).toBe(64 * kib);
    await v2.setCgroup({ 'memory.max': 'max' });
    expect(v2.memInfo()['MemTotal']).toBe((await labelsOf(v2))['MemTotal']);
  });

  test('(9) swap on v1 is what memsw allows beyond memory, not both together', async () => {
    await using v1 = await Specimen.unpack('v1');
    await v1.setCgroup({
      'memory.stat': v1Stat(36, `total_swap ${5 * mebibyte}`),
      'memory.limit_in_bytes': 64 * mebibyte,
      'memory.memsw.limit_in_bytes': 100 * mebibyte,
    });
    expect(v1.memInfo()).toMatchObject({ SwapTotal: 36 * kib, SwapFree: 31 * kib });
    expect(v1.read('proc/swaps')).toMatch(/^none\s+virtual\s+36864\s+5120\s+0$/m);
    await v1.setCgroup({
      'memory.stat': v1Stat(0),
      'memory.memsw.limit_in_bytes': 64 * mebibyte,
    });
    expect(v1.memInfo()).toMatchObject({ SwapTotal: 0, SwapFree: 0 });
  });
});
