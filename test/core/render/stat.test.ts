// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpuInfoFixture } from '../../_support/core-texts.js';
import { cpusInput, members } from '../../_support/cpu-arbitraries.js';
import { core } from '../../_support/testing-addon.js';

const host_stat =
  'cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 137278 0 7\nctxt 308744\n' +
  'btime 1795438808\nprocesses 5397\nprocs_running 9\nprocs_blocked 8\nsoftirq 120381 0 16493\n';
const cpus = { cpuset: '1,3', online: '0-3' };
const time = (cpu: number, usec: number) => ({
  cpu,
  user_usec: usec,
  nice_usec: 2 * usec,
  system_usec: 3 * usec,
  idle_usec: 4 * usec,
  steal_usec: 5 * usec,
});

describe('RenderStat()', () => {
  it('prints times in USER_HZ, rounded down, and the lines in the order of the kernel', () => {
    const rendered = core.renderStat({
      host_stat,
      cpus,
      cpu_times: { total: time(0, 25_000), cpus: [time(1, 15_000), time(3, 10_000)] },
      tasks: { running: 5, blocked: 2 },
    });
    expect(rendered).toBe(
      [
        'cpu  2 5 7 10 0 0 0 12 0 0',
        'cpu1 1 3 4 6 0 0 0 7 0 0',
        'cpu3 1 2 3 4 0 0 0 5 0 0',
        'intr 137278 0',
        'ctxt 308744',
        'btime 1795438808',
        'processes 5397',
        'procs_running 3',
        'procs_blocked 2',
        'softirq 120381 0 16493',
        '',
      ].join('\n'),
    );
  });

  it('numbers CPUs from 0 when numbering is virtual', () => {
    const rendered = core.renderStat({
      host_stat,
      cpus: { ...cpus, numbering: 'virtual' },
      cpu_times: { cpus: [time(1, 0), time(3, 0)] },
    });
    expect(rendered.match(/^cpu\d+/gm)).toEqual(['cpu0', 'cpu1']);
  });

  it.each([
    { running: 0, blocked: 0 },
    { running: 3, blocked: 3 },
    { running: 1, blocked: 2 },
  ])('counts at least one running task: %j', (tasks) => {
    expect(core.parseStat(core.renderStat({ host_stat, tasks }))).toMatchObject({
      procs_running: 1n,
      procs_blocked: BigInt(tasks.blocked),
    });
  });

  it('is understood by ParseStat()', () => {
    const cpu_times = { total: time(0, 10_000) };
    expect(core.parseStat(core.renderStat({ host_stat, cpus, cpu_times }))).toMatchObject({
      user: 1n,
      nice: 2n,
      system: 3n,
      idle: 4n,
      steal: 5n,
      iowait: 0n,
      guest: 0n,
      btime: 1795438808n,
      softirq: 120381n,
    });
  });

  it('keeps the sum of the CPUs at or below the total after rounding', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 100_000 }), { minLength: 1, maxLength: 4 }), (usecs) => {
        const sum = usecs.reduce((total, usec) => total + usec, 0);
        const rendered = core.renderStat({
          host_stat,
          cpus: { cpuset: '0-3', online: '0-3' },
          cpu_times: { total: time(0, sum), cpus: usecs.map((usec, cpu) => time(cpu, usec)) },
        });
        const idle = [...rendered.matchAll(/^cpu\d+ \d+ \d+ \d+ (\d+)/gm)].map(([, n]) =>
          Number(n),
        );
        const total = idle.reduce((all, each) => all + each, 0);
        expect(total).toBeLessThanOrEqual(Number(core.parseStat(rendered).idle));
      }),
    );
  });
});

describe('cpuinfo, stat and the list of /sys', () => {
  const host_cpuinfo = cpuInfoFixture('x86_64-8cpu');

  it('show the same CPUs under the same numbers, for any view', () => {
    fc.assert(
      fc.property(cpusInput, (any) => {
        const input = { ...any, online: '0-7' };
        const accumulator = new core.CpuAccumulator();
        accumulator.advance({ boottime_usec: 9, age_usec: 9, usage: {} }, input);
        const stat = core.renderStat({
          host_stat,
          cpus: input,
          cpu_times: accumulator.read(input),
        });
        const cpuinfo = core.renderCpuInfo({ host_cpuinfo, cpus: input });
        const online = members(core.renderCpuOnline({ cpus: input }).trimEnd());

        const numbers = (matches: IterableIterator<RegExpMatchArray>) =>
          [...matches].map(([, number]) => Number(number));
        expect(numbers(stat.matchAll(/^cpu(\d+) /gm))).toEqual(online);
        expect(numbers(cpuinfo.matchAll(/^processor\t: (\d+)$/gm))).toEqual(online);
        if (any.numbering === 'virtual') expect(online).toEqual([...online.keys()]);
      }),
    );
  });
});
