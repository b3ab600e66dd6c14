// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { memInfoText } from '../../_support/core-texts.js';
import { core, type MemoryInput } from '../../_support/testing-addon.js';

const kib = 1024;
const gib = 1024 * 1024; // in kB

/** A host of 16 GiB, with every line that a view can touch at 16 GiB too. */
const labels = [
  ...['MemTotal', 'MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SwapCached', 'Active'],
  ...['Inactive', 'Active(anon)', 'Inactive(anon)', 'Active(file)', 'Inactive(file)'],
  ...['Unevictable', 'Mlocked', 'SwapTotal', 'SwapFree', 'Zswap', 'Zswapped', 'Dirty'],
  ...['Writeback', 'AnonPages', 'Mapped', 'Shmem', 'KReclaimable', 'Slab', 'SReclaimable'],
  ...['SUnreclaim', 'KernelStack', 'PageTables', 'SecPageTables', 'CommitLimit', 'Committed_AS'],
  ...['Percpu', 'AnonHugePages', 'ShmemHugePages', 'FileHugePages'],
];
const hostLines = Object.fromEntries(labels.map((label) => [label, 16 * gib]));
const host = memInfoText(hostLines);

const derive = (memory: MemoryInput, lines = {}) =>
  core.deriveMemoryView(memory, memInfoText({ ...hostLines, ...lines }));

describe('DeriveMemoryView()', () => {
  it('takes total, free and available from limit and usage', () => {
    const view = derive({
      limit_bytes: 1000 * kib,
      usage_bytes: 600 * kib,
      stat: {
        active_file: 100 * kib,
        inactive_file: 50 * kib,
        slab_reclaimable: 25 * kib,
        file: 300 * kib,
      },
    });
    expect(view).toMatchObject({
      mem_total: 1000n,
      mem_free: 400n,
      mem_available: 575n,
      cached: 300n,
      buffers: 0n,
    });
  });

  it('shows all of the host without a limit', () => {
    const view = derive({ usage_bytes: gib * kib }, { MemFree: 2 * gib, MemAvailable: 5 * gib });
    expect(view).toMatchObject({
      mem_total: BigInt(16 * gib),
      mem_free: BigInt(2 * gib),
      mem_available: BigInt(5 * gib),
    });
  });

  it('lets memory that other tenants can be made to give back be available', () => {
    const view = derive(
      { limit_bytes: 4 * gib * kib, usage_bytes: gib * kib },
      { MemFree: gib, MemAvailable: 8 * gib },
    );
    expect(view).toMatchObject({ mem_free: BigInt(3 * gib), mem_available: BigInt(3 * gib) });
  });

  it('shows at most the available memory of the host', () => {
    const view = derive({ limit_bytes: 4 * gib * kib }, { MemFree: kib, MemAvailable: 2 * gib });
    expect(view).toMatchObject({ mem_free: BigInt(4 * gib), mem_available: BigInt(2 * gib) });
  });

  it('leaves out what a neighbour uses under a shared limit', () => {
    const view = derive({
      limit_bytes: 100 * kib,
      usage_bytes: 10 * kib,
      ancestors: [
        { usage_bytes: 70 * kib },
        { limit_bytes: 64 * kib, usage_bytes: 52 * kib, stat: { inactive_file: 4 * kib } },
      ],
    });
    expect(view).toMatchObject({ mem_total: 64n, mem_free: 12n, mem_available: 16n });
  });

  it('takes free and available memory each from the level that leaves least of it', () => {
    const view = derive({
      limit_bytes: 100 * kib,
      usage_bytes: 80 * kib,
      stat: { active_file: 70 * kib },
      ancestors: [{ limit_bytes: 200 * kib, usage_bytes: 150 * kib }],
    });
    expect(view).toMatchObject({ mem_total: 100n, mem_free: 20n, mem_available: 50n });
  });

  it('takes memory.high as a bound of what is available, and not of what there is', () => {
    const stat = { inactive_file: 5 * kib };
    const own = { limit_bytes: 200 * kib, high_bytes: 100 * kib, usage_bytes: 40 * kib, stat };
    expect(derive(own)).toMatchObject({ mem_total: 200n, mem_free: 160n, mem_available: 65n });
    const above = derive({ ...own, usage_bytes: 110 * kib });
    expect(above).toMatchObject({ mem_free: 90n, mem_available: 0n });
    const alone = derive({ ...own, limit_bytes: null }, { MemFree: 3 * gib });
    expect(alone).toMatchObject({
      mem_total: BigInt(16 * gib),
      mem_free: BigInt(3 * gib),
      mem_available: 65n,
    });
  });

  it('lets page cache and slab that are counted before they are used give way', () => {
    const stat = { file: 60 * kib, inactive_file: 58 * kib, slab_reclaimable: 10 * kib };
    expect(derive({ limit_bytes: 100 * kib, usage_bytes: 20 * kib, stat })).toMatchObject({
      mem_free: 80n,
      cached: 10n,
      s_reclaimable: 10n,
      k_reclaimable: 10n,
      slab: 10n,
    });
  });

  it('shows nothing free when usage is above the limit', () => {
    const view = derive({ limit_bytes: 1000 * kib, usage_bytes: 1001 * kib });
    expect(view).toMatchObject({ mem_free: 0n, mem_available: 0n });
  });

  it('never shows more available memory than there is', () => {
    const stat = { active_file: 900 * kib, inactive_file: 900 * kib };
    expect(derive({ limit_bytes: 1000 * kib, stat }).mem_available).toBe(1000n);
  });

  it.each([0, 1, 1023])('shows a total above 0 for a limit of %d bytes', (limit_bytes) => {
    expect(derive({ limit_bytes, usage_bytes: 4096 })).toMatchObject({
      mem_total: 1n,
      mem_free: 0n,
    });
  });

  it('copies each key of memory.stat to its line', () => {
    const stat = Object.fromEntries(
      [
        ...['anon', 'file', 'shmem', 'file_mapped', 'file_dirty', 'file_writeback'],
        ...['active_anon', 'inactive_anon', 'active_file', 'inactive_file', 'unevictable'],
        ...['slab_reclaimable', 'slab_unreclaimable', 'slab', 'kernel_stack', 'pagetables'],
        ...['sec_pagetables', 'percpu', 'anon_thp', 'shmem_thp', 'file_thp', 'zswap'],
        ...['zswapped', 'swapcached'],
      ].map((key, index) => [key, (index + 1) * kib]),
    );
    const own = {
      limit_bytes: gib * kib,
      usage_bytes: (gib / 2) * kib,
      swap_usage_bytes: 100 * kib,
    };
    expect(derive({ ...own, stat })).toMatchObject({
      anon_pages: 1n,
      cached: 2n,
      shmem: 3n,
      mapped: 4n,
      dirty: 5n,
      writeback: 6n,
      active_anon: 7n,
      inactive_anon: 8n,
      active_file: 9n,
      inactive_file: 10n,
      active: 16n,
      inactive: 18n,
      unevictable: 11n,
      mlocked: 11n,
      k_reclaimable: 12n,
      s_reclaimable: 12n,
      s_unreclaim: 13n,
      slab: 25n,
      kernel_stack: 15n,
      page_tables: 16n,
      sec_page_tables: 17n,
      percpu: 18n,
      anon_huge_pages: 19n,
      shmem_huge_pages: 20n,
      file_huge_pages: 21n,
      zswap: 22n,
      zswapped: 23n,
      swap_cached: 24n,
      committed_as: 104n,
    });
  });

  it('shows swap as far as the host has it', () => {
    const memory = { swap_limit_bytes: 1000 * kib, swap_usage_bytes: 300 * kib };
    const shared = { swap_limit_bytes: 2000 * kib, swap_usage_bytes: 1900 * kib };
    expect(derive({ ...memory, ancestors: [shared] }).swap_free).toBe(100n);
    expect(derive(memory)).toMatchObject({ swap_total: 1000n, swap_free: 700n });
    expect(derive(memory, { SwapTotal: 500, SwapFree: 100 })).toMatchObject({
      swap_total: 500n,
      swap_free: 100n,
    });
    expect(derive(memory, { SwapTotal: 0, SwapFree: 0 })).toMatchObject({
      swap_total: 0n,
      swap_free: 0n,
    });
    expect(derive({ swap_usage_bytes: kib }).swap_total).toBe(BigInt(16 * gib));
  });

  it('does not wrap when more swap is used than there may be', () => {
    const view = derive({ swap_limit_bytes: 10 * kib, swap_usage_bytes: 11 * kib });
    expect(view.swap_free).toBe(0n);
  });

  it('shows no swap when the configuration says so', () => {
    const view = core.deriveMemoryView({ swap_limit_bytes: 1000 * kib }, host, { swap: false });
    expect(view).toMatchObject({ swap_total: 0n, swap_free: 0n });
  });

  it('computes the commit limit as the kernel does', () => {
    const memory = { limit_bytes: 1000 * kib, swap_limit_bytes: 200 * kib };
    const limit = (overcommit_ratio: number | bigint) =>
      core.deriveMemoryView(memory, host, { overcommit_ratio }).commit_limit;
    expect(limit(50)).toBe(700n);
    expect(limit(0)).toBe(200n);
    expect(limit(33)).toBe(530n);
    expect(limit(2n ** 63n)).toBe(BigInt(16 * gib));
  });

  it('computes the commit limit from overcommit_kbytes where it is set', () => {
    const memory = { limit_bytes: 1000 * kib, swap_limit_bytes: 200 * kib };
    const limit = (overcommit_kib: number) =>
      core.deriveMemoryView(memory, host, { overcommit_kib, overcommit_ratio: 0 }).commit_limit;
    expect(limit(300)).toBe(500n);
    expect(limit(5000)).toBe(1200n);
  });

  it('shows the swap that a v1 limit of memory and swap together leaves', () => {
    const own = { limit_bytes: 64 * kib, usage_bytes: 60 * kib, swap_limit_bytes: 96 * kib };
    const level = { memsw_limit_bytes: 160 * kib, memsw_usage_bytes: 90 * kib };
    expect(derive({ ...own, ...level })).toMatchObject({ mem_free: 4n, swap_free: 66n });
    const ancestor = { memsw_limit_bytes: 100 * kib, memsw_usage_bytes: 95 * kib };
    expect(derive({ ...own, ...level, ancestors: [ancestor] }).swap_free).toBe(1n);
  });

  it('shows huge pages only where they are limited', () => {
    const lines = { HugePages_Total: 100, HugePages_Free: 90, Hugepagesize: 2048, Hugetlb: 204800 };
    const mib = 1024 * kib;
    expect(derive({}, lines).huge_pages).toBeNull();
    expect(
      derive({ hugetlb: { limit_bytes: 21 * mib, usage_bytes: 4 * mib } }, lines).huge_pages,
    ).toEqual({ total: 10n, free: 8n, rsvd: 0n, surp: 0n, hugetlb_kib: 20480n });
    expect(
      derive({ hugetlb: { limit_bytes: 999 * mib, usage_bytes: 0 } }, lines).huge_pages,
    ).toMatchObject({ total: 100n, free: 90n, hugetlb_kib: 204800n });
  });

  it('divides by no page size', () => {
    const memory = { hugetlb: { limit_bytes: 4096, usage_bytes: 0 } };
    expect(derive(memory, { Hugepagesize: 0 }).huge_pages).toBeNull();
  });
});
