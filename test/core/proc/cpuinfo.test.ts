// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { capturedTexts, cpuInfoFixture, parseError } from '../../_support/core-texts.js';
import { type CpuInfo, core } from '../../_support/testing-addon.js';

function whole(info: CpuInfo): string {
  const texts = [...info.blocks, ...info.sections].map(({ text }) => text);
  return info.head + texts.join('') + info.tail;
}

const machines = [
  { name: 'x86_64-8cpu', cpus: 8, head: '', tail: '' },
  { name: 'arm64-4cpu', cpus: 4, head: '', tail: '' },
  { name: 'arm-4cpu', cpus: 4, head: '', tail: 'Hardware\t: BCM2711\n' },
  { name: 'ppc64le-4cpu', cpus: 4, head: '', tail: 'timebase\t: 512000000\n' },
  { name: 's390x-4cpu', cpus: 4, head: 'vendor_id       : IBM/S390\n', tail: '' },
];

describe('ParseCpuInfo()', () => {
  it.each(machines)('cuts the text of $name without losing a byte', (machine) => {
    const text = cpuInfoFixture(machine.name);
    const info = core.parseCpuInfo(text);

    expect(info.blocks.map(({ cpu }) => cpu)).toEqual([...Array(machine.cpus).keys()]);
    expect(info.head.startsWith(machine.head)).toBe(true);
    expect(info.head === '').toBe(machine.head === '');
    expect(info.tail.startsWith(machine.tail)).toBe(true);
    expect(info.tail === '').toBe(machine.tail === '');
    expect(whole(info)).toBe(text);
  });

  it('finds the topology of x86', () => {
    const blocks = core.parseCpuInfo(cpuInfoFixture('x86_64-8cpu')).blocks;

    expect(blocks[3]).toMatchObject({
      physical_id: '1',
      core_id: '1',
      siblings: '4',
      cpu_cores: '2',
    });
  });

  it('cuts both lists of s390x', () => {
    const info = core.parseCpuInfo(cpuInfoFixture('s390x-4cpu'));

    expect(info.is_s390).toBe(true);
    expect(info.blocks[2]?.text).toBe(
      'processor 2: version = 00,  identification = 09DD98,  machine = 8561\n',
    );
    expect(info.sections.map(({ cpu }) => cpu)).toEqual([0, 1, 2, 3]);
    expect(info.sections[1]?.text).toMatch(
      /^\ncpu number {6}: 1\n(.+\n)*cpu MHz static {2}: 5200\n$/,
    );
    expect(info.sections[1]).toMatchObject({ physical_id: '1', core_id: '0', siblings: '4' });
  });

  it('keeps a block without a blank line at its end', () => {
    const text = 'processor\t: 0\nBogoMIPS\t: 1';
    expect(core.parseCpuInfo(text).blocks[0]?.text).toBe(text);
  });

  it('takes a text without CPUs as head', () => {
    const text = 'Processor\t: ARM926EJ-S rev 5 (v5l)\nBogoMIPS\t: 226.09\n';
    expect(core.parseCpuInfo(text)).toMatchObject({ head: text, blocks: [], tail: '' });
  });

  it('does not take a longer key for a processor', () => {
    const text = 'processor\t: 0\nprocessors\t: 7\n\n';
    expect(core.parseCpuInfo(text).blocks).toHaveLength(1);
  });

  it('rejects an empty text', () => {
    expect(() => core.parseCpuInfo('')).toThrow(parseError(1));
  });

  it.each(['processor\t:\n', 'processor\t: x\n', 'processor\t: -1\n', 'processor\t: 4294967296\n'])(
    'rejects %j, with its line',
    (line) => {
      expect(() => core.parseCpuInfo(`vendor : x\n${line}`)).toThrow(parseError(2));
    },
  );

  it.each(capturedTexts(/:proc\/cpuinfo$/))('reads $name', ({ text }) => {
    const info = core.parseCpuInfo(text);
    expect(info.blocks).toHaveLength(text.match(/^processor\t: /gm)?.length ?? 0);
    expect(whole(info)).toBe(text);
  });
});
