// SPDX-License-Identifier: Apache-2.0
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  deriveRates,
  formatTop,
  formatViews,
  nameOf,
  sortRates,
} from '../../src/cli/views-output.js';
import type { ViewReply } from '../../src/control/protocol.js';

function viewOf(changes: Partial<ViewReply> = {}): ViewReply {
  return {
    id: 'docker=0a1b',
    name: 'web',
    cgroup: '/docker/0a1b',
    initPid: 4711,
    ageSec: 61,
    idleSec: 0,
    reads: 100,
    hits: 90,
    readers: 1,
    memoryLimitBytes: 256 * 2 ** 20,
    memoryTotalBytes: 256 * 2 ** 20,
    memoryUsageBytes: 64 * 2 ** 20,
    memoryAvailableBytes: 192 * 2 ** 20,
    memoryRoomLevel: null,
    swapTotalBytes: 0,
    swapUsageBytes: 0,
    cpus: '0-1',
    cpuCount: 2,
    cpuQuota: 1.5,
    userUsec: 1e6,
    systemUsec: 0,
    throttledUsec: 0,
    tasks: 3,
    load: [0.5, 0.25, 0.1],
    pressureCpuPercent: 1.25,
    pressureMemoryPercent: 0,
    pressureIoPercent: null,
    hasOwnPolicy: false,
    problem: '',
    ...changes,
  };
}

describe('formatViews()', () => {
  test('aligns a line for each container', () => {
    const host = viewOf({ name: null, id: '=', cgroup: '/', memoryTotalBytes: null, reads: 0 });
    expect(formatViews([host, viewOf()], { colours: false })).toBe(
      `CONTAINER  INIT    AGE       CPUS              MEMORY  SWAP  TASKS  READS   HITS  CGROUP
(host)     4711  1m 1s  1.5 (0-1)                   -     -      3      0      -  /
web        4711  1m 1s  1.5 (0-1)  64.0 MiB / 256 MiB     -      3    100  90.0%  /docker/0a1b
`,
    );
  });

  test('marks a container whose room an ancestor makes smaller than its own limit says', () => {
    const shared = viewOf({ memoryAvailableBytes: 12 * 2 ** 20, memoryRoomLevel: '/docker' });
    const table = formatViews([shared], { colours: false });
    expect(table).toContain('64.0 MiB / 256 MiB, 12.0 MiB left');
    expect(table).toMatch(/\nleft: .*"lensfs explain proc\/meminfo"/);
    expect(formatViews([viewOf()], { colours: false })).not.toContain('left');
  });

  test('says what to do when there is none', () => {
    expect(formatViews([], { colours: false })).toMatch(/^No container has read anything yet: /);
  });

  test('cuts lines at the edge of the terminal, colours not counted', () => {
    const text = formatViews([viewOf()], { colours: true, width: 40 });
    for (const line of stripVTControlCharacters(text).trimEnd().split('\n')) {
      expect(line.length).toBeLessThanOrEqual(40);
    }
    expect(text).toContain('\u001b[1m');
  });

  test('leaves out what there is no room for, the least needed first', () => {
    const header = (width: number) =>
      formatViews([viewOf()], { colours: false, width }).split('\n')[0]?.split(/ +/);
    const all = 'CONTAINER INIT AGE CPUS MEMORY SWAP TASKS READS HITS CGROUP'.split(' ');
    expect(header(120)).toEqual(all);
    expect(header(80)).toEqual(all.filter((title) => title !== 'CGROUP'));
    expect(header(64)).toEqual('CONTAINER AGE CPUS MEMORY TASKS READS'.split(' '));
    const top = formatTop(deriveRates([], [viewOf()], 1), {
      ...{ colours: false, width: 80, sort: 'cpu', rows: 9 },
    });
    expect(top.split('\n')[0]).toMatch(/^CONTAINER .* PRESSURE C\/M\/I .*READS\/S$/);
  });

  test('lets no control character of a name through', () => {
    const name = 'a\u001b[2Jb\nc';
    expect(formatViews([viewOf({ name })], { colours: false })).toContain('a\\x1b[2Jb\\x0ac');
  });
});

describe('deriveRates()', () => {
  test('divides by the time between two looks', () => {
    const [rates] = deriveRates(
      [viewOf()],
      [viewOf({ userUsec: 2e6, systemUsec: 1e6, throttledUsec: 5e5, reads: 300 })],
      2,
    );
    expect(rates).toMatchObject({ cpuPercent: 100, throttledPercent: 25, readsPerSec: 100 });
  });

  test('has none for a container that was not there before, nor for another of its name', () => {
    const [rates] = deriveRates([viewOf({ initPid: 1 })], [viewOf()], 2);
    expect(rates).toMatchObject({ cpuPercent: null, throttledPercent: null, readsPerSec: null });
  });
});

describe('sortRates()', () => {
  const rates = deriveRates(
    [],
    [
      viewOf({ name: 'b', memoryUsageBytes: 1 }),
      viewOf({ name: 'a', memoryUsageBytes: 2 }),
      viewOf({ name: 'c', memoryUsageBytes: null }),
    ],
    1,
  );
  const namesBy = (key: 'memory' | 'name' | 'cpu') =>
    sortRates(rates, key).map(({ view }) => nameOf(view));

  test('puts the largest first, what is unknown last, and ties by name', () => {
    expect(namesBy('memory')).toEqual(['a', 'b', 'c']);
    expect(namesBy('name')).toEqual(['a', 'b', 'c']);
    expect(namesBy('cpu')).toEqual(['a', 'b', 'c']);
  });

  test('is what formatTop() shows the first of', () => {
    const text = formatTop(rates, { colours: false, sort: 'memory', rows: 1 });
    expect(text.split('\n').slice(1)).toEqual([expect.stringMatching(/^a /), '']);
  });
});
