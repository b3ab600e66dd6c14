// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capturedTexts } from '../../_support/core-texts.js';
import { core, type Sheet } from '../../_support/testing-addon.js';

const page = 4096;
const hosts = [
  { name: 'this machine', text: readFileSync('/proc/vmstat', 'latin1') },
  ...capturedTexts(/:proc\/vmstat$/),
];

/** The value of one key of a host that has plenty of it. */
function shownValue(key: string, sheet: Sheet): bigint | undefined {
  return core.parseVmStat(core.renderVmStat({ host_vmstat: `${key} 1000000\n`, ...sheet }))[0]
    ?.value;
}

describe('RenderVmStat()', () => {
  it.each(hosts)('keeps the keys of the host in its order: $name', ({ text }) => {
    const keys = (of: string) => core.parseVmStat(of).map(({ key }) => key);
    expect(keys(core.renderVmStat({ host_vmstat: text }))).toEqual(keys(text));
  });

  it('shows 0 for all that a container has not', () => {
    const rendered = core.renderVmStat({ host_vmstat: 'numa_hit 5\nfuture_key 6\noom_kill 7\n' });
    expect(rendered).toBe('numa_hit 0\nfuture_key 0\noom_kill 0\n');
  });

  it.each([
    ['nr_file_pages', { file: 7 * page }, 7n],
    ['nr_anon_pages', { anon: 7 * page + 1 }, 7n],
    ['nr_mlock', { unevictable: 3 * page }, 3n],
    ['nr_zone_write_pending', { file_dirty: 2 * page, file_writeback: page }, 3n],
    ['nr_kernel_stack', { kernel_stack: 48 * 1024 }, 48n],
    ['nr_anon_transparent_hugepages', { anon_thp: 6 * 1024 * 1024 }, 3n],
    ['pgfault', { pgfault: 44166 }, 44166n],
    ['workingset_refault_file', { workingset_refault_file: 402 }, 402n],
    ['zswpwb', { zswpwb: 5 }, 5n],
    ['pgpgin', { pgpgin: 99 }, 0n],
  ])('shows %s from memory.stat %j', (key, memory_stat, value) => {
    expect(shownValue(key, { memory_stat })).toBe(value);
  });

  it('shows free pages as meminfo does', () => {
    expect(shownValue('nr_free_pages', { memory: { mem_free: 4096 } })).toBe(1024n);
  });

  it('shows what disks moved, in KiB, as pgpgin and pgpgout', () => {
    const sheet = {
      host_diskstats: '   8       0 sda 9 0 999 0 9 0 999 0 0 0 0\n',
      devices: [{ major: 8, minor: 0, rios: 1, rbytes: 8192, wbytes: 3072 }],
    };
    expect(shownValue('pgpgin', sheet)).toBe(8n);
    expect(shownValue('pgpgout', sheet)).toBe(3n);
  });

  it('shows no value above the host', () => {
    const host_vmstat = 'pgfault 10\nnr_dirty 2\n';
    const memory_stat = { pgfault: 11, file_dirty: 99 * page };
    expect(core.renderVmStat({ host_vmstat, memory_stat })).toBe(host_vmstat);
  });
});
