// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cpusInput } from '../../_support/cpu-arbitraries.js';
import { type CpuTime, type CpuTimes, core } from '../../_support/testing-addon.js';

const columns = ['user_usec', 'nice_usec', 'system_usec', 'idle_usec', 'steal_usec'] as const;
const hostCpus = 12;
const firstUsec = 1_000_000_000;
const firstAgeUsec = 100_000_000;

/** What happens between two samples; a counter may also fall, as when a cgroup is made anew. */
const step = fc.record({
  elapsed: fc.integer({ min: -1_000, max: 3_000_000 }),
  user: fc.integer({ min: -10_000, max: 5_000_000 }),
  nice: fc.integer({ min: -10_000, max: 1_000_000 }),
  system: fc.integer({ min: -10_000, max: 5_000_000 }),
  throttled: fc.integer({ min: -10_000, max: 9_000_000 }),
  cpu: fc.nat({ max: hostCpus - 1 }),
  cpus: cpusInput,
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A cgroup whose counters follow the steps. */
class Cgroup {
  now = firstUsec;
  #total = { user_usec: 0, nice_usec: 0, system_usec: 0, throttled_usec: 0 };
  #each = Array.from({ length: hostCpus }, (_, cpu) => ({ cpu, user_usec: 0, system_usec: 0 }));

  constructor(readonly hasEach: boolean) {}

  move({ elapsed, user, nice, system, throttled, cpu }: Step): void {
    const at = (value: number, more: number) => Math.max(0, value + more);
    this.now = at(this.now, elapsed);
    const total = this.#total;
    total.user_usec = at(total.user_usec, user);
    total.nice_usec = at(total.nice_usec, nice);
    total.system_usec = at(total.system_usec, system);
    total.throttled_usec = at(total.throttled_usec, throttled);
    const each = this.#each[cpu];
    if (each === undefined) return;
    each.user_usec = at(each.user_usec, user);
    each.system_usec = at(each.system_usec, system);
  }

  sample() {
    return {
      boottime_usec: this.now,
      age_usec: this.now - firstUsec + firstAgeUsec,
      usage: { ...this.#total, per_cpu: this.hasEach ? this.#each : [] },
    };
  }
}

function sum(times: CpuTime[], column: (typeof columns)[number]): bigint {
  return times.reduce((total, time) => total + time[column], 0n);
}

/**
 * Runs the steps; `check` gets what stands in /proc/stat after each, and the time that the visible
 * CPUs had until then.
 */
function run(
  steps: Step[],
  hasEach: boolean,
  check: (times: CpuTimes, time_usec: bigint) => void,
): void {
  const accumulator = new core.CpuAccumulator();
  const cgroup = new Cgroup(hasEach);
  let last = firstUsec - firstAgeUsec;
  let time = 0n;
  for (const each of steps) {
    cgroup.move(each);
    const cpus = BigInt(core.deriveVisibleCpus(each.cpus).count);
    time += cpus * BigInt(Math.max(0, cgroup.now - last));
    last = Math.max(last, cgroup.now);
    accumulator.advance(cgroup.sample(), each.cpus);
    check(accumulator.read(each.cpus), time);
  }
}

describe('CpuAccumulator, under any sequence of usage, quotas and cpusets,', () => {
  const steps = fc.array(step, { maxLength: 12 });

  it('lets no counter decrease', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (sequence, hasEach) => {
        const shown = new Map<string, bigint>();
        const follow = (name: string, time: CpuTime) => {
          for (const column of columns) {
            const key = `${name} ${column}`;
            expect(time[column], key).toBeGreaterThanOrEqual(shown.get(key) ?? 0n);
            shown.set(key, time[column]);
          }
        };
        run(sequence, hasEach, (times) => {
          follow('cpu', times.total);
          for (const time of times.cpus) follow(`cpu${time.cpu}`, time);
        });
      }),
    );
  });

  it('keeps the total at or above the sum of the visible CPUs', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (sequence, hasEach) => {
        run(sequence, hasEach, (times) => {
          for (const column of columns) {
            expect(times.total[column]).toBeGreaterThanOrEqual(sum(times.cpus, column));
          }
        });
      }),
    );
  });

  it('keeps the total equal to the sum while the CPUs stay the same', () => {
    fc.assert(
      fc.property(steps, cpusInput, (sequence, cpus) => {
        const fixed = sequence.map((each) => ({ ...each, cpus }));
        run(fixed, false, (times) => {
          for (const column of columns) {
            expect(times.total[column]).toBe(sum(times.cpus, column));
          }
        });
      }),
    );
  });

  it('books exactly the usage, however the CPUs change', () => {
    const growing = fc.record({
      elapsed: fc.integer({ min: 1, max: 3_000_000 }),
      user: fc.nat({ max: 5_000_000 }),
      nice: fc.constant(0),
      system: fc.nat({ max: 5_000_000 }),
      throttled: fc.nat({ max: 9_000_000 }),
      cpu: fc.nat({ max: hostCpus - 1 }),
      cpus: cpusInput,
    });
    fc.assert(
      fc.property(fc.array(growing, { maxLength: 12 }), (sequence) => {
        let user = 0n;
        let next = 0;
        run(sequence, false, (times) => {
          user += BigInt(sequence[next++]?.user ?? 0);
          expect(times.total.user_usec).toBe(user);
        });
      }),
    );
  });

  it('hands out no more idle and steal time than there was time', () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (sequence, hasEach) => {
        run(sequence, hasEach, ({ total }, time) => {
          expect(total.idle_usec + total.steal_usec).toBeLessThanOrEqual(time);
        });
      }),
    );
  });

  it('goes on after a restart as if there had been none', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.boolean()), fc.boolean(), (sequence, restarts, hasEach) => {
        const restarted = new core.CpuAccumulator();
        const other = new core.CpuAccumulator();
        const cgroup = new Cgroup(hasEach);
        for (const [index, each] of sequence.entries()) {
          cgroup.move(each);
          if (restarts[index]) restarted.restart();
          for (const accumulator of [restarted, other]) {
            accumulator.advance(cgroup.sample(), each.cpus);
          }
          expect(restarted.read(each.cpus)).toEqual(other.read(each.cpus));
        }
      }),
    );
  });
});
