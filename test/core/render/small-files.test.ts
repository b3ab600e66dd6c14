// SPDX-License-Identifier: Apache-2.0
// Renderers of one or two lines.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { capturedTexts } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

describe('RenderUptime()', () => {
  it('prints age and idle in hundredths, rounded down', () => {
    const cpu_times = { total: { idle_usec: 2_024_899_999 } };
    expect(core.renderUptime({ age_usec: 1_054_719_999, cpu_times })).toBe('1054.71 2024.89\n');
  });

  it('pads hundredths with a zero', () => {
    expect(core.renderUptime({ age_usec: 50_000 })).toBe('0.05 0.00\n');
  });

  it('shows the idle time of the cpu line', () => {
    const cpus = { cpuset: '0-1', online: '0-1' };
    const accumulator = new core.CpuAccumulator();
    const usage = { user_usec: 3_000_000 };
    accumulator.advance({ boottime_usec: 9, age_usec: 10_000_000, usage }, cpus);
    const sheet = { cpus, cpu_times: accumulator.read(cpus), age_usec: 10_000_000 };

    expect(core.renderUptime(sheet)).toBe('10.00 17.00\n');
    const stat = core.parseStat(core.renderStat({ ...sheet, host_stat: 'btime 1\n' }));
    expect(stat.idle).toBe(1700n);
  });
});

describe('RenderLoadAverage()', () => {
  it('prints loads, tasks and the last pid', () => {
    const tasks = { running: 2, total: 85, last_pid: 5399 };
    expect(core.renderLoadAverage({ load: [3072, 2048, 100], tasks })).toBe(
      '1.50 1.00 0.05 2/85 5399\n',
    );
  });

  it('never shows more running tasks than tasks', () => {
    const tasks = { running: 3, total: 2, last_pid: 7 };
    expect(core.renderLoadAverage({ tasks })).toBe('0.00 0.00 0.00 3/3 7\n');
  });
});

describe('RenderSwaps()', () => {
  const wide = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
  const narrow = 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n';
  const name = `none${' '.repeat(36)}virtual\t\t`;

  it.each([wide, narrow])('prints only the header of the host without swap', (header) => {
    expect(core.renderSwaps({ host_swaps_header: header })).toBe(header);
  });

  it('prints one row for all swap', () => {
    const memory = { swap_total: 1000, swap_free: 700 };
    expect(core.renderSwaps({ host_swaps_header: wide, memory })).toBe(
      `${wide}${name}1000\t\t300\t\t0\n`,
    );
  });

  it('follows the columns of the header and of long numbers', () => {
    const memory = { swap_total: 10_000_000, swap_free: 1 };
    expect(core.renderSwaps({ host_swaps_header: wide, memory })).toBe(
      `${wide}${name}10000000\t9999999\t\t0\n`,
    );
    expect(core.renderSwaps({ host_swaps_header: narrow, memory })).toBe(
      `${narrow}${name}10000000\t9999999\t0\n`,
    );
  });

  it('has a header of its own where the host has none', () => {
    expect(core.renderSwaps({})).toBe(wide);
    expect(readFileSync('/proc/swaps', 'latin1').split('\n', 1)[0]).toBe(wide.trimEnd());
  });
});

describe('RenderSlabInfo()', () => {
  it('prints the two lines of the header', () => {
    expect(core.renderSlabInfo({})).toBe(
      'slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> ' +
        '<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> ' +
        '<num_slabs> <sharedavail>\n',
    );
  });

  it.each(capturedTexts(/:proc\/slabinfo$/))('is the header of $name', ({ text }) => {
    expect(text.startsWith(core.renderSlabInfo({}))).toBe(true);
  });
});

describe('RenderPressure()', () => {
  it('repeats the text of the cgroup', () => {
    const pressure = 'some avg10=0.22 avg60=0.17 avg300=1.11 total=58761459\n';
    expect(core.renderPressure({ pressure })).toBe(pressure);
  });
});

describe('RenderCpuOnline() and RenderCpuOffline()', () => {
  it('print the visible CPUs and none', () => {
    const cpus = { cpuset: '1-2,5', online: '0-7' };
    expect(core.renderCpuOnline({ cpus })).toBe('1-2,5\n');
    expect(core.renderCpuOnline({ cpus: { ...cpus, numbering: 'virtual' } })).toBe('0-2\n');
    expect(core.renderCpuOffline({ cpus })).toBe('\n');
  });
});
