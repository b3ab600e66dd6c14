// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, parseError } from '../../_support/core-texts.js';
import { core } from '../../_support/testing-addon.js';

describe('ParseLimit()', () => {
  it.each([
    ['67108864\n', 67108864n],
    ['67108864', 67108864n],
    ['0\n', 0n],
    ['max\n', null],
    ['-1\n', null],
    ['9223372036854771712\n', null],
    ['9223372036854710272\n', null], // v1 with pages of 64 KiB
    ['18446744073709551615\n', null],
    ['9223372036854710271\n', 9223372036854710271n],
  ])('reads %j as %s', (text, limit) => {
    expect(core.parseLimit(text)).toBe(limit);
  });

  it('rejects a signed number', () => {
    expect(() => core.parseLimit('-2\n')).toThrow(parseError(1));
    expect(() => core.parseLimit('+2\n')).toThrow(parseError(1));
  });

  it.each(['', '\n', ' 1\n', '1 \n', 'maximum\n', '1k\n', '18446744073709551616\n'])(
    'rejects %j',
    (text) => {
      expect(() => core.parseLimit(text)).toThrow(parseError(1));
    },
  );
});

describe('ParseCount()', () => {
  it('reads a number', () => {
    expect(core.parseCount('104857600\n')).toBe(104857600n);
  });

  it.each(['', '\n', 'max\n', '-1\n', '1.5\n'])('rejects %j', (text) => {
    expect(() => core.parseCount(text)).toThrow(parseError(1));
  });
});

describe('ParseMemoryStatV2()', () => {
  it('matches keys whole', () => {
    const text = 'anon 1\nanon_thp 2\nfile 3\nfile_mapped 4\nslab 5\nslab_reclaimable 6\n';
    expect(core.parseMemoryStatV2(text)).toMatchObject({
      anon: 1n,
      anon_thp: 2n,
      file: 3n,
      file_mapped: 4n,
      slab: 5n,
      slab_reclaimable: 6n,
    });
  });

  it('reads keys in any order', () => {
    const lines = ['anon 1', 'file 2', 'shmem 3', 'pgfault 4'];
    const record = core.parseMemoryStatV2(lines.join('\n'));
    expect(core.parseMemoryStatV2(lines.reverse().join('\n'))).toEqual(record);
    expect(record).toMatchObject({ anon: 1n, file: 2n, shmem: 3n, pgfault: 4n });
  });

  it('leaves missing keys 0 and skips unknown ones, whatever their value', () => {
    expect(core.parseMemoryStatV2('future x y z\nkernel oops\n')).toMatchObject({ anon: 0n });
    expect(core.parseMemoryStatV2('')).toMatchObject({ anon: 0n, slab: 0n });
  });

  it.each(['anon\n', 'anon \n', 'anon x\n', 'anon -1\n', 'anon 1 2\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseMemoryStatV2(`file 1\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/v2-[^:]*:cgroup\/.*memory\.stat$/))('reads $name', ({ text }) => {
    const stat = core.parseMemoryStatV2(text);
    for (const key of ['anon', 'file_mapped', 'slab', 'pgfault', 'thp_fault_alloc'] as const) {
      expect(stat[key], key).toBe(BigInt(new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1] ?? 0));
    }
  });
});

describe('ParseMemoryStatV1()', () => {
  it('takes the totals of the subtree, not the numbers of the cgroup alone', () => {
    const text = 'cache 1\nrss 2\ntotal_cache 30\ntotal_rss 40\ntotal_rss_huge 50\ntotal_swap 60\n';
    expect(core.parseMemoryStatV1(text)).toMatchObject({
      file: 30n,
      anon: 40n,
      anon_thp: 50n,
      total_swap: 60n,
    });
    expect(core.parseMemoryStatV1('cache 1\nrss 2\n')).toMatchObject({ file: 0n, anon: 0n });
  });

  it('reads the hierarchical limits', () => {
    const text =
      'hierarchical_memory_limit 67108864\nhierarchical_memsw_limit 9223372036854771712\n';
    expect(core.parseMemoryStatV1(text)).toMatchObject({
      hierarchical_memory_limit: 67108864n,
      hierarchical_memsw_limit: null,
    });
  });

  it('leaves all 0 for an empty text', () => {
    expect(core.parseMemoryStatV1('')).toMatchObject({ file: 0n, hierarchical_memory_limit: null });
  });

  it.each(['total_rss x\n', 'hierarchical_memory_limit max\n', 'total_cache\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseMemoryStatV1(`cache 1\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/(v1|hybrid)-[^:]*:cgroup\/memory\/.*memory\.stat$/))(
    'reads $name',
    ({ text }) => {
      const stat = core.parseMemoryStatV1(text);
      expect(stat.anon).toBe(BigInt(/^total_rss (\d+)$/m.exec(text)?.[1] ?? 0));
      expect(stat.file_mapped).toBe(BigInt(/^total_mapped_file (\d+)$/m.exec(text)?.[1] ?? 0));
    },
  );
});
