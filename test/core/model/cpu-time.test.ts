// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { type CpuAccumulator, type CpuTime, core } from '../../_support/testing-addon.js';

const second = 1_000_000;
const two = { cpuset: '0-1', online: '0-3' };
const one = { cpuset: '0', online: '0-3' };
const four = { cpuset: '0-3', online: '0-3' };
/** Two of four CPUs: the usage of each is not taken, because a quota hides some. */
const twoByQuota = { ...four, quota: { quota_usec: 200_000, period_usec: 100_000 } };

/** An accumulator with a first sample at an age of 10 s. */
function started(cpus = two, usage = {}): CpuAccumulator {
  const accumulator = new core.CpuAccumulator();
  accumulator.advance({ boottime_usec: 100 * second, age_usec: 10 * second, usage }, cpus);
  return accumulator;
}

/** A sample so many seconds after the first one. */
function later(seconds: number, usage: object) {
  const elapsed = Math.round(seconds * second);
  return { boottime_usec: 100 * second + elapsed, age_usec: 10 * second + elapsed, usage };
}

const usage = (user_usec: number, system_usec: number, more = {}) => ({
  user_usec,
  system_usec,
  ...more,
});

const seconds = (time: CpuTime) => ({
  user: Number(time.user_usec) / second,
  system: Number(time.system_usec) / second,
  idle: Number(time.idle_usec) / second,
  steal: Number(time.steal_usec) / second,
});

describe('CpuAccumulator', () => {
  it('starts with the time since the start of the container', () => {
    const times = started(two, usage(3 * second, second)).read(two);

    expect(seconds(times.total)).toEqual({ user: 3, system: 1, idle: 16, steal: 0 });
    expect(times.cpus.map(({ cpu }) => cpu)).toEqual([0, 1]);
    expect(times.cpus.map(seconds)).toEqual([
      { user: 1.5, system: 0.5, idle: 8, steal: 0 },
      { user: 1.5, system: 0.5, idle: 8, steal: 0 },
    ]);
  });

  it.each([
    ['together', []],
    ['each', [0, 1].map((cpu) => ({ cpu, user_usec: 45 * second, system_usec: 15 * second }))],
  ])(
    'has no more busy time at first than its CPUs had since it began, counted %s',
    (_, per_cpu) => {
      const more = { nice_usec: 30 * second, per_cpu };
      const accumulator = started(two, usage(90 * second, 30 * second, more));
      const busy = (time: CpuTime) =>
        Number(time.user_usec + time.nice_usec + time.system_usec) / second;
      const { total, cpus } = accumulator.read(two);
      expect(busy(total)).toBe(20);
      expect(cpus.map(busy)).toEqual([10, 10]);
      expect(seconds(total).system).toBeCloseTo(5);
      expect(seconds(total).idle).toBe(0);
      // What comes later counts as ever.
      const moved = per_cpu.map((one) => ({ ...one, user_usec: one.user_usec + second / 2 }));
      const next = usage(91 * second, 30 * second, { ...more, per_cpu: moved });
      accumulator.advance(later(1, next), two);
      expect(busy(accumulator.read(two).total)).toBe(21);
    },
  );

  it('has read nothing before the first sample', () => {
    const times = new core.CpuAccumulator().read(two);
    expect(seconds(times.total)).toEqual({ user: 0, system: 0, idle: 0, steal: 0 });
    expect(times.cpus).toHaveLength(2);
  });

  it('leaves idle 0 when the usage is larger than the time', () => {
    const times = started(one, usage(50 * second, 0)).read(one);
    expect(seconds(times.total)).toEqual({ user: 10, system: 0, idle: 0, steal: 0 });
  });

  it('splits evenly, the remainder on the low CPUs', () => {
    const cpus = { cpuset: '1-3', online: '0-3' };
    const times = started(cpus, usage(8, 1)).read(cpus);
    expect(times.cpus.map(({ user_usec }) => user_usec)).toEqual([3n, 3n, 2n]);
    expect(times.cpus.map(({ system_usec }) => system_usec)).toEqual([1n, 0n, 0n]);
  });

  it('counts nice time apart from user time', () => {
    const { total } = started(one, usage(5, 0, { nice_usec: 2 })).read(one);
    expect(total).toMatchObject({ user_usec: 3n, nice_usec: 2n });
  });

  it('never books more than the user time when nice time is ahead of it', () => {
    const accumulator = started(one, usage(5, 0, { nice_usec: 9 }));
    expect(accumulator.read(one).total).toMatchObject({ user_usec: 0n, nice_usec: 5n });

    accumulator.advance(later(1, usage(15, 0, { nice_usec: 9 })), one);
    expect(accumulator.read(one).total).toMatchObject({ user_usec: 6n, nice_usec: 9n });
  });

  it('shows throttled time as steal, as far as there is idle time', () => {
    const accumulator = started(one);
    accumulator.advance(later(1, usage(second / 2, 0, { throttled_usec: second / 4 })), one);
    expect(seconds(accumulator.read(one).total)).toEqual({
      user: 0.5,
      system: 0,
      idle: 10.25,
      steal: 0.25,
    });

    const throttled = { throttled_usec: second / 4 + 100 * second };
    accumulator.advance(later(2, usage(second, 0, throttled)), one);
    expect(seconds(accumulator.read(one).total)).toEqual({
      user: 1,
      system: 0,
      idle: 10.25,
      steal: 0.75,
    });
  });

  it('takes each CPU from its own counters when the whole set is visible', () => {
    const per_cpu = [
      { cpu: 0, user_usec: second, system_usec: 0 },
      { cpu: 1, user_usec: 0, system_usec: 3 * second },
    ];
    const times = started(two, usage(second, 3 * second, { per_cpu })).read(two);

    expect(times.cpus.map(seconds)).toEqual([
      { user: 1, system: 0, idle: 9, steal: 0 },
      { user: 0, system: 3, idle: 7, steal: 0 },
    ]);
    expect(seconds(times.total)).toEqual({ user: 1, system: 3, idle: 16, steal: 0 });
  });

  it('splits evenly when a quota hides CPUs of the set', () => {
    const per_cpu = [{ cpu: 3, user_usec: 4 * second, system_usec: 0 }];
    const times = started(twoByQuota, usage(4 * second, 0, { per_cpu })).read(twoByQuota);
    expect(times.cpus.map(seconds)).toEqual([
      { user: 2, system: 0, idle: 8, steal: 0 },
      { user: 2, system: 0, idle: 8, steal: 0 },
    ]);
  });

  it('counts a time once when the split changes', () => {
    const per_cpu = (first: number) => [{ cpu: 0, user_usec: first * second, system_usec: 0 }];
    const accumulator = started(four, usage(second, 0, { per_cpu: per_cpu(1) }));
    accumulator.advance(later(1, usage(2 * second, 0, { per_cpu: per_cpu(2) })), twoByQuota);
    accumulator.advance(later(2, usage(3 * second, 0, { per_cpu: per_cpu(3) })), four);

    const times = accumulator.read(four);
    expect(times.total.user_usec).toBe(BigInt(3 * second));
    expect(times.cpus.map((time) => Number(time.user_usec) / second)).toEqual([2.5, 0.5, 0, 0]);
  });

  it('starts a new CPU at 0 and keeps the past of a hidden one in the total', () => {
    const accumulator = started(two, usage(4 * second, 0));
    accumulator.advance(later(1, usage(5 * second, 0)), one);
    expect(seconds(accumulator.read(one).total)).toEqual({
      user: 5,
      system: 0,
      idle: 16,
      steal: 0,
    });
    expect(accumulator.read(one).cpus.map(seconds)).toEqual([
      { user: 3, system: 0, idle: 8, steal: 0 },
    ]);

    expect(accumulator.read(four).cpus.map((time) => Number(time.idle_usec) / second)).toEqual([
      8, 8, 0, 0,
    ]);
  });

  it('ignores a sample that is not newer', () => {
    const accumulator = started(two, usage(second, 0));
    const before = accumulator.read(two);
    accumulator.advance(later(0, usage(9 * second, 0)), two);
    accumulator.advance(later(-1, usage(9 * second, 0)), two);
    expect(accumulator.read(two)).toEqual(before);
  });

  it('stands still while usage is below what it was', () => {
    const accumulator = started(one, usage(4 * second, 0));
    accumulator.advance(later(1, usage(second, 0)), one);
    expect(accumulator.read(one).total.user_usec).toBe(BigInt(4 * second));

    accumulator.advance(later(2, usage(5 * second, 0)), one);
    expect(accumulator.read(one).total.user_usec).toBe(BigInt(5 * second));
  });

  it('does not take usage for idle time that the kernel books a tick later', () => {
    const accumulator = started(one);
    const tick = 20_000;
    for (let sample = 1; sample <= 200; ++sample) {
      const elapsed = sample * 5_000;
      const booked = Math.floor(elapsed / tick) * tick;
      accumulator.advance(later(elapsed / second, usage(booked, 0)), one);
    }
    const { total } = accumulator.read(one);
    expect(Number(total.user_usec)).toBe(second);
    expect(Number(total.idle_usec)).toBeLessThanOrEqual(10 * second + tick);
  });

  it('shows throttled time that the kernel books at its end', () => {
    const accumulator = started(one);
    for (let sample = 1; sample <= 100; ++sample) {
      const elapsed = sample * 10_000; // half of each period of 100 ms is throttled
      const periods = Math.floor(elapsed / 100_000);
      const ran = periods * 50_000 + Math.min(elapsed - periods * 100_000, 50_000);
      const throttled = { throttled_usec: periods * 50_000 };
      accumulator.advance(later(elapsed / second, usage(ran, 0, throttled)), one);
    }
    const { total } = accumulator.read(one);
    expect(Number(total.steal_usec)).toBeGreaterThanOrEqual(0.45 * second);
    expect(Number(total.user_usec + total.steal_usec + total.idle_usec)).toBe(11 * second);
  });

  it('ignores a CPU that cannot be', () => {
    const per_cpu = [{ cpu: 4294967295, user_usec: second, system_usec: 0 }];
    const times = started(one, usage(0, 0, { per_cpu })).read(one);
    expect(times.total.user_usec).toBe(0n);
  });
});
