// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

const none = { rbytes: 0n, wbytes: 0n, dbytes: 0n, rios: 0n, wios: 0n, dios: 0n };

describe('ParseIoStat()', () => {
  it('reads each device in order', () => {
    const text =
      '254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n8:16 rbytes=7 cost.usage=9\n';
    expect(core.parseIoStat(text)).toEqual([
      { major: 254, minor: 0, rbytes: 1n, wbytes: 2n, rios: 3n, wios: 4n, dbytes: 5n, dios: 6n },
      { ...none, major: 8, minor: 16, rbytes: 7n },
    ]);
  });

  it('reads devices that share a line, as kernels before 5.16 print them', () => {
    expect(core.parseIoStat('253:10 253:5 rbytes=1\n')).toEqual([
      { ...none, major: 253, minor: 10 },
      { ...none, major: 253, minor: 5, rbytes: 1n },
    ]);
  });

  it('reads an empty text as no devices', () => {
    expect(core.parseIoStat('')).toEqual([]);
  });

  it.each([
    'x:0 rbytes=1\n',
    'rbytes=1\n',
    '8:0 rbytes=x\n',
    '8:0 rbytes=-1\n',
    '8 rbytes=1\n',
    '\n',
  ])('rejects %j, with its line', (line) => {
    expect(() => core.parseIoStat(`8:0 rbytes=1\n${line}`)).toThrow(parseError(2));
  });

  it.each(capturedTexts(/v2-[^:]*:cgroup\/.*\/io\.stat$/))('reads $name', ({ text }) => {
    expect(core.parseIoStat(text)).toHaveLength(text.match(/\d+:\d+/g)?.length ?? 0);
  });
});

describe('ParseBlkio()', () => {
  const bytes = '254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 1\n254:0 Total 9\nTotal 9\n';
  const counts = '254:0 Read 1\n254:0 Write 2\n254:0 Discard 3\nTotal 6\n';

  it('joins bytes and operations, without totals', () => {
    expect(core.parseBlkio(bytes, counts)).toEqual([
      { ...none, major: 254, minor: 0, rbytes: 4096n, wbytes: 8192n, rios: 1n, wios: 2n, dios: 3n },
    ]);
  });

  it('keeps the order of the first text and adds what only the second one has', () => {
    const devices = core.parseBlkio('8:16 Read 1\n8:0 Read 2\n', '8:0 Read 3\n8:32 Read 4\n');
    expect(devices.map(({ minor, rbytes, rios }) => [minor, rbytes, rios])).toEqual([
      [16, 1n, 0n],
      [0, 2n, 3n],
      [32, 0n, 4n],
    ]);
  });

  it('reads empty texts as no devices', () => {
    expect(core.parseBlkio('', 'Total 0\n')).toEqual([]);
  });

  it.each(['8:0 Read\n', '8:0 Read x\n', '8:x Read 1\n', '8 Read 1\n', '\n'])(
    'rejects %j in either text, with its line',
    (line) => {
      expect(() => core.parseBlkio(`8:0 Read 1\n${line}`, '')).toThrow(parseError(2));
      expect(() => core.parseBlkio('', `8:0 Read 1\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/:cgroup\/blkio\/.*io_service_bytes_recursive$/))(
    'reads $name',
    ({ text }) => {
      const names = new Set(text.match(/^\d+:\d+/gm) ?? []);
      expect(core.parseBlkio(text, '')).toHaveLength(names.size);
    },
  );
});
