// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatSoakSvg } from '../../bench/soak/chart.js';
import { lines, type Sample, slack, trends } from '../../bench/soak/samples.js';

const seconds = 90;

/** A minute and a half in which `line` is what `valueAt` says, and all else stays as it is. */
function samplesOf(line: keyof typeof slack, valueAt: (second: number) => number): Sample[] {
  return Array.from({ length: seconds }, (_, second) => ({
    ...{ seconds: second, rssMib: 80, threads: 18, descriptors: 900, views: 50 },
    [line]: valueAt(second),
  }));
}

describe('trends()', () => {
  test.each(lines)('calls %s flat that rises only while the daemon warms up', (line) => {
    const samples = samplesOf(line, (second) => Math.min(second, seconds / 3) * 10);
    expect(trends(samples).filter(({ isFlat }) => !isFlat)).toEqual([]);
  });

  test.each(lines)('tells of %s that goes on rising, and of no other', (line) => {
    const samples = samplesOf(line, (second) => 10 + second * slack[line]);
    const growing = trends(samples).filter(({ isFlat }) => !isFlat);
    expect(growing.map((trend) => trend.line)).toEqual([line]);
  });

  test('does not mind one high value', () => {
    const samples = samplesOf('descriptors', (second) => (second === seconds - 5 ? 60_000 : 900));
    expect(trends(samples).every(({ isFlat }) => isFlat)).toBe(true);
  });
});

test('the picture has a panel for each line and a mark for each death in it', () => {
  const svg = formatSoakSvg(
    'A title',
    samplesOf('views', () => 1),
    [30, 60],
  );
  expect(svg.match(/<polyline /g)).toHaveLength(lines.length);
  expect(svg.match(/stroke-dasharray/g)).toHaveLength(lines.length * 2);
  expect(svg).toContain('>A title</text>');
});
