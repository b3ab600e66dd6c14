// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { formatDuration, formatReload, formatStatus } from '../../src/cli/output.js';

describe('formatDuration()', () => {
  test.each([
    [0, '0s'],
    [59.9, '59s'],
    [60, '1m 0s'],
    [3_661, '1h 1m'],
    [90_061, '1d 1h'],
    [864_000, '10d 0h'],
  ])('writes %s as %s', (sec, text) => {
    expect(formatDuration(sec)).toBe(text);
  });
});

describe('formatStatus()', () => {
  test('aligns the values and lists the fallbacks', () => {
    const text = formatStatus({
      version: '1.2.3',
      pid: 42,
      workerPid: 43,
      workers: 7,
      orphaned: false,
      layers: 2,
      uptimeSec: 61,
      tree: '/tree',
      runDir: '/run/l',
      configProblems: [],
      layout: 'v1',
      findsById: true,
      controllers: { memory: '/cg/memory', cpu: '/cg/cpu' },
      transport: { kind: 'ring', reason: '', cpus: 8, bytesPerCpu: 245_760, forced: 1 },
      views: 2,
      handles: 0,
      heldDescriptors: 12,
      replays: 3,
      refusals: 1,
      quarantine: [{ cgroup: '/web', deaths: 2, leftSec: 7 }],
      reads: 100,
      renders: 10,
      resolves: 1,
      memoryLevelReads: 0,
      readsByFile: [{ file: 'proc/stat', outcome: 'cached', count: 4 }],
      fallbacks: [
        { file: 'proc/stat', cause: 'ENODEV', count: 3 },
        { file: 'proc/meminfo', cause: 'EIO', count: 1 },
      ],
    });
    expect(text).toBe(`Version           1.2.3
Process           42
Worker            43, number 7, up 1m 1s
Tree              /tree, 2 layers
Run directory     /run/l
Cgroups           v1 memory=/cg/memory cpu=/cg/cpu
Transport         ring on 8 CPUs, 240 KiB each, 1 task ended by force
Views             2
Open files        0
Held descriptors  12
Replays           3, 1 refused
Quarantine        /web for 7 s more: 2 workers crashed or hung on it
Reads             100
Renders           10
Fallbacks         4
                  3 × proc/stat: ENODEV
                  1 × proc/meminfo: EIO
`);
  });
});

describe('formatReload()', () => {
  test('tells what is in force from what is not', () => {
    expect(formatReload({ applied: [], needsRestart: [] })).toBe('Nothing has changed\n');
    expect(formatReload({ applied: ['a', 'b'], needsRestart: ['c'] })).toBe(
      'In force: a, b\nAfter a restart: c\n',
    );
  });
});
