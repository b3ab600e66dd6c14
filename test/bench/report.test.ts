// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatSvg } from '../../bench/chart.js';
import type { DriverName, Measurement } from '../../bench/measurement.js';
import { formatMarkdown, formatText, type Run } from '../../bench/report.js';
import { scenarios } from '../../bench/scenarios.js';

const name = 'meminfo open 1';

function measured(driver: DriverName, round: number, readsPerSecond: number): Measurement {
  const values = { readsPerSecond, p50Usec: 1e6 / readsPerSecond };
  return { scenario: name, driver, round, values, errors: 0 };
}

const run: Run = {
  machine: { cpu: '2 × <fast> & cheap', kernel: '6.18' },
  scenarios: scenarios.filter((scenario) => scenario.name === name),
  measurements: [
    measured('lxcfs', 1, 1_000),
    measured('lensfs-shared', 1, 2_000),
    measured('lxcfs', 2, 3_000),
    { ...measured('lensfs-shared', 2, 6_000), errors: 3, note: 'ended by SIGABRT' },
  ],
  verdicts: [
    {
      gate: {
        title: 'fast enough',
        metric: 'readsPerSecond',
        numerator: { driver: 'lensfs-shared', scenario: name },
        denominator: { driver: 'lxcfs', scenario: name },
        target: 100,
        ceiling: {
          best: 'plain-file',
          numerator: { driver: 'plain-file', scenario: name },
          denominator: { driver: 'lxcfs', scenario: name },
        },
      },
      ratio: { median: 2, lowest: 2, highest: 2 },
      ceiling: { median: 80, lowest: 80, highest: 80 },
      needed: 70,
      outcome: 'out of reach',
    },
  ],
};

describe('formatText()', () => {
  test('shows medians, spread and the ratio to lxcfs', () => {
    expect(formatText(run)).toContain(`Reading one file as fast as possible

scenario        driver         reads/s     ±  × lxcfs  × /proc  p50 µs  errors
meminfo open 1  lensfs-shared     4000  50 %     2.00            333.3       3
meminfo open 1  lxcfs             2000  50 %                     666.7       0
`);
  });

  test('shows gates, and says why one is out of reach', () => {
    expect(formatText(run)).toMatch(
      /^fast enough +2\.00 +0 % +100 +70\.0 +out of reach: plain-file has 80\.0$/m,
    );
  });

  test('says what went wrong', () => {
    expect(formatText(run)).toContain('lensfs-shared, meminfo open 1: ended by SIGABRT\n');
  });
});

describe('formatMarkdown()', () => {
  test('names the machine and has the same figures in tables', () => {
    const text = formatMarkdown(run);
    expect(text).toContain('- kernel: 6.18\n');
    expect(text).toContain('| meminfo open 1 | lensfs-shared | 4000 | 50 % | 2.00 |');
    expect(text).toContain('| --- | --- | ---: |');
  });
});

describe('formatSvg()', () => {
  test('draws a bar for each driver and escapes what is no markup', () => {
    const svg = formatSvg(run);
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    expect(svg).toContain('2 × &lt;fast&gt; &amp; cheap');
    expect(svg).not.toContain('NaN');
  });

  test('draws nothing for a run without read rates', () => {
    const svg = formatSvg({ ...run, measurements: [] });
    expect(svg).not.toContain('<rect x=');
    expect(svg).not.toContain('NaN');
  });
});
