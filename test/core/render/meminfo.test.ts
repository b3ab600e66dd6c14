// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capturedTexts, memInfoText, memInfoValues } from '../../_support/core-texts.js';
import { core, type Sheet } from '../../_support/testing-addon.js';

/** The member of a view that stands behind a label, as model/memory_lines.h says. */
const members: Record<string, string> = {
  MemTotal: 'mem_total',
  MemFree: 'mem_free',
  MemAvailable: 'mem_available',
  Buffers: 'buffers',
  Cached: 'cached',
  SwapCached: 'swap_cached',
  Active: 'active',
  Inactive: 'inactive',
  'Active(anon)': 'active_anon',
  'Inactive(anon)': 'inactive_anon',
  'Active(file)': 'active_file',
  'Inactive(file)': 'inactive_file',
  Unevictable: 'unevictable',
  Mlocked: 'mlocked',
  SwapTotal: 'swap_total',
  SwapFree: 'swap_free',
  Zswap: 'zswap',
  Zswapped: 'zswapped',
  Dirty: 'dirty',
  Writeback: 'writeback',
  AnonPages: 'anon_pages',
  Mapped: 'mapped',
  Shmem: 'shmem',
  KReclaimable: 'k_reclaimable',
  Slab: 'slab',
  SReclaimable: 's_reclaimable',
  SUnreclaim: 's_unreclaim',
  KernelStack: 'kernel_stack',
  PageTables: 'page_tables',
  SecPageTables: 'sec_page_tables',
  CommitLimit: 'commit_limit',
  Committed_AS: 'committed_as',
  Percpu: 'percpu',
  AnonHugePages: 'anon_huge_pages',
  ShmemHugePages: 'shmem_huge_pages',
  FileHugePages: 'file_huge_pages',
};

const zeros = [
  ...['NFS_Unstable', 'Bounce', 'WritebackTmp', 'ShmemPmdMapped', 'FilePmdMapped'],
  ...['HardwareCorrupted', 'CmaTotal', 'CmaFree', 'Unaccepted', 'Balloon'],
];

/** A view with the host's own values. */
function identity(text: string): NonNullable<Sheet['memory']> {
  const values = Object.entries(memInfoValues(text));
  return Object.fromEntries(
    values.flatMap(([label, value]) => {
      const member = members[label];
      return member === undefined ? [] : [[member, value]];
    }),
  );
}

/** The text with the lines that no container has set to 0. */
function withoutForeign(text: string): string {
  return text.replace(new RegExp(`^(${zeros.join('|')}):( *)(\\d+) kB$`, 'gm'), (line) => {
    const label = line.slice(0, line.indexOf(':') + 1);
    return `${label}${'0'.padStart(24 - label.length)} kB`;
  });
}

const hosts = [
  { name: 'this machine', text: readFileSync('/proc/meminfo', 'latin1') },
  ...capturedTexts(/:proc\/meminfo$/),
];

describe('RenderMemInfo()', () => {
  it.each(hosts)('repeats the host byte for byte for its own values: $name', ({ text }) => {
    const rendered = core.renderMemInfo({ host_meminfo: text, memory: identity(text) });
    expect(rendered).toBe(withoutForeign(text));
  });

  it('takes each line from where the contract says', () => {
    const lines = { MemTotal: 9, VmallocTotal: 34359738367, Bounce: 9, DirectMap4k: 9, Future: 9 };
    const rendered = core.renderMemInfo({
      host_meminfo: memInfoText({ ...lines, HugePages_Total: 9, Hugepagesize: 2048, Hugetlb: 9 }),
      memory: { mem_total: 5 },
    });
    expect(rendered).toBe(
      [
        'MemTotal:              5 kB',
        'VmallocTotal:   34359738367 kB',
        'Bounce:                0 kB',
        'DirectMap4k:           9 kB',
        'Future:                9 kB',
        'HugePages_Total:       9',
        'Hugepagesize:       2048 kB',
        'Hugetlb:               9 kB',
        '',
      ].join('\n'),
    );
  });

  it.each(zeros)('shows 0 for %s', (label) => {
    const rendered = core.renderMemInfo({ host_meminfo: memInfoText({ [label]: 7 }) });
    expect(memInfoValues(rendered)).toEqual({ [label]: 0n });
  });

  it.each(Object.entries(members))('shows %s from %s', (label, member) => {
    const rendered = core.renderMemInfo({
      host_meminfo: memInfoText({ [label]: 99 }),
      memory: { [member]: 12 },
    });
    expect(memInfoValues(rendered)).toEqual({ [label]: 12n });
  });

  it('shows huge pages of the container when they are limited', () => {
    const host_meminfo = memInfoText({
      HugePages_Total: 9,
      HugePages_Free: 9,
      HugePages_Rsvd: 9,
      HugePages_Surp: 9,
      Hugetlb: 18432,
    });
    const huge_pages = { total: 4, free: 3, rsvd: 2, surp: 1, hugetlb_kib: 8192 };
    expect(core.renderMemInfo({ host_meminfo, memory: { huge_pages } })).toBe(
      'HugePages_Total:       4\nHugePages_Free:        3\nHugePages_Rsvd:        2\n' +
        'HugePages_Surp:        1\nHugetlb:            8192 kB\n',
    );
  });

  it('lets a number that is too wide run on as the kernel does', () => {
    const host_meminfo = memInfoText({ MemTotal: 1, HardwareCorrupted: 1, SecPageTables: 1 });
    const memory = { mem_total: 123456789, sec_page_tables: 123456789 };
    expect(core.renderMemInfo({ host_meminfo, memory })).toBe(
      'MemTotal:       123456789 kB\nHardwareCorrupted:     0 kB\nSecPageTables:  123456789 kB\n',
    );
  });

  it('keeps a label that is longer than any of the kernel', () => {
    const host_meminfo = 'AVeryLongLabelOfTheFuture:  12 kB\n';
    expect(core.renderMemInfo({ host_meminfo })).toBe(host_meminfo);
  });
});
