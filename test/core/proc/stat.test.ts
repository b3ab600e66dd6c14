// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

const good = [
  'cpu  3557 1 2032 30689 299 2 46 108 3 4',
  'cpu0 9 9 9 9 9 9 9 9 9 9',
  'intr 137278 0 0 7',
  'ctxt 308744',
  'btime 1795438808',
  'processes 5397',
  'procs_running 2',
  'procs_blocked 1',
  'softirq 120381 0 16493',
  '',
].join('\n');

describe('ShiftBoot()', () => {
  it.each([
    [864_000, 1_794_574_808],
    [-5, 1_795_438_813],
    [0, 1_795_438_808],
  ])('moves the time of boot by %d s, and nothing else', (offset, btime) => {
    expect(core.shiftBoot(good, offset)).toBe(good.replace('1795438808', `${btime}`));
  });

  it.each(['', 'ctxt 1\n', 'ctxt 1\nbtime\n', 'ctxt 1\nbtime x\n'])('leaves %j alone', (text) => {
    expect(core.shiftBoot(text, 1)).toBe(text);
  });
});

describe('ParseBoottimeOffset()', () => {
  it('reads the seconds of the line', () => {
    const lines = ['monotonic           -5         0', 'boottime       -864000 500000000', ''];
    expect(core.parseBoottimeOffset(lines.join('\n'))).toBe(-864_000);
  });

  it.each(['', 'boottime\n', 'boottime x 0\n', 'monotonic 1 0\n'])('has 0 for %j', (text) => {
    expect(core.parseBoottimeOffset(text)).toBe(0);
  });
});

describe('ParseStat()', () => {
  it('reads the cpu line and the totals, and no line of one CPU', () => {
    expect(core.parseStat(good)).toEqual({
      user: 3557n,
      nice: 1n,
      system: 2032n,
      idle: 30689n,
      iowait: 299n,
      irq: 2n,
      softirq_time: 46n,
      steal: 108n,
      guest: 3n,
      guest_nice: 4n,
      intr: 137278n,
      ctxt: 308744n,
      btime: 1795438808n,
      processes: 5397n,
      procs_running: 2n,
      procs_blocked: 1n,
      softirq: 120381n,
      softirqs: [0n, 16493n],
    });
  });

  it('reads lines in any order', () => {
    const reversed = good.trimEnd().split('\n').reverse().join('\n');
    expect(core.parseStat(reversed)).toEqual(core.parseStat(good));
  });

  it('leaves missing keys and columns 0, and skips unknown keys', () => {
    expect(core.parseStat('cpu  1 2 3 4\nsomething new\n')).toMatchObject({
      idle: 4n,
      steal: 0n,
      btime: 0n,
    });
    expect(core.parseStat('')).toMatchObject({ user: 0n, ctxt: 0n });
  });

  it.each([
    'btime\n',
    'btime x\n',
    'btime -1\n',
    'cpu \n',
    'cpu  1 2 x\n',
    'intr \n',
    'softirq 1 x\n',
  ])('rejects %j, with its line', (line) => {
    expect(() => core.parseStat(`ctxt 1\n${line}`)).toThrow(parseError(2));
  });

  it.each(capturedTexts(/:proc\/stat$/))('reads $name', ({ text }) => {
    const stat = core.parseStat(text);
    expect(stat.btime).toBe(BigInt(/^btime (\d+)$/m.exec(text)?.[1] ?? 0));
    const [total, ...kinds] = /^softirq (.+)/m.exec(text)?.[1]?.split(' ').map(BigInt) ?? [];
    expect(stat.softirq).toBe(total);
    expect(stat.softirqs).toEqual(kinds);
    expect(kinds).toHaveLength(10);
  });
});
