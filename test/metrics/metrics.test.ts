// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  describeMetrics,
  fallbackCauses,
  type Measured,
  readOutcomes,
} from '../../src/metrics/metrics.js';
import { formatMetrics } from '../../src/metrics/prometheus.js';

const measured: Measured = {
  version: '1.2.3',
  layout: 'v2',
  uptimeSec: 5,
  workers: 2,
  layers: 3,
  orphaned: false,
  views: 1,
  handles: 2,
  heldDescriptors: 3,
  replays: 13,
  refusals: 14,
  quarantine: [{}],
  renders: 4,
  resolves: 5,
  memoryLevelReads: 0,
  files: ['proc/stat', 'proc/uptime'],
  readsByFile: [
    { file: 'proc/stat', outcome: 'cached', count: 6 },
    { file: 'proc/stat', outcome: 'rendered', count: 7 },
  ],
  latency: { buckets: [1, 2, 0, 4], sumNsec: 3e9 },
  samplerLagUsec: 1e6,
  samplerTookUsec: 2e6,
  fallbacks: [{ file: 'a"b\\c', cause: 'x\ny', count: 8 }],
  reloads: { done: 9, refused: 10 },
  configProblems: ['a'],
  residentBytes: 11,
  cpuUsec: 12e6,
};

describe('formatMetrics()', () => {
  const text = formatMetrics(describeMetrics(measured));

  test('has a type and a help for every name, once', () => {
    const names = [...text.matchAll(/^# TYPE (\S+) (counter|gauge|histogram)$/gm)].map(
      ([, name]) => name,
    );
    expect(new Set(names).size).toBe(names.length);
    expect([...text.matchAll(/^# HELP (\S+) \S/gm)].map(([, name]) => name)).toEqual(names);
    for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
      expect(line).toMatch(/^\w+(\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\})? [\d.e+-]+$/);
      const name = /^\w+/.exec(line)?.[0].replace(/_(bucket|sum|count)$/, '');
      expect(names).toContain(name);
    }
  });

  test('names counters by Prometheus’ rule', () => {
    for (const { name, type } of describeMetrics(measured)) {
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
    }
  });

  test('escapes labels', () => {
    expect(text).toContain('lensfs_fallbacks_total{file="a\\"b\\\\c",cause="x\\ny"} 8\n');
  });

  test('sums a histogram up from the smallest bucket', () => {
    expect(text.match(/^lensfs_read_duration_seconds.*$/gm)).toEqual([
      'lensfs_read_duration_seconds_bucket{le="0.000001"} 1',
      'lensfs_read_duration_seconds_bucket{le="0.000002"} 3',
      'lensfs_read_duration_seconds_bucket{le="0.000004"} 3',
      'lensfs_read_duration_seconds_bucket{le="+Inf"} 7',
      'lensfs_read_duration_seconds_sum 3',
      'lensfs_read_duration_seconds_count 7',
    ]);
  });

  test('has a 0 for what has not happened, so that the first time is an increase', () => {
    expect(text).toContain('lensfs_reads_total{file="proc/stat",outcome="rendered"} 7\n');
    expect(text).toContain('lensfs_reads_total{file="proc/uptime",outcome="error"} 0\n');
    expect(text).toContain('lensfs_fallbacks_total{file="proc/stat",cause="unreadable"} 0\n');
  });

  test('knows the names that the data plane counts by', () => {
    const namesIn = (file: string) =>
      [...readFileSync(`native/core/engine/${file}`, 'utf8').matchAll(/return "([a-z-]+)";/g)].map(
        ([, name]) => name,
      );
    expect(namesIn('read_stats.h')).toEqual([...readOutcomes]);
    expect(namesIn('fallbacks.cc')).toEqual([...fallbackCauses]);
  });
});
