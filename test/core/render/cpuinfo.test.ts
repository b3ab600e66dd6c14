// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capturedTexts, cpuInfoFixture } from '../../_support/core-texts.js';
import { cpusInput } from '../../_support/cpu-arbitraries.js';
import { type CpusInput, core } from '../../_support/testing-addon.js';

const machines = ['x86_64-8cpu', 'arm64-4cpu', 'arm-4cpu', 'ppc64le-4cpu', 's390x-4cpu'];
const hosts = [
  { name: 'this machine', text: readFileSync('/proc/cpuinfo', 'latin1') },
  ...capturedTexts(/:proc\/cpuinfo$/),
  ...machines.map((name) => ({ name, text: cpuInfoFixture(name) })),
];

const virtual = { cpuset: '1,3', online: '0-7', numbering: 'virtual' } as const;

function render(name: string, cpus: CpusInput): string {
  return core.renderCpuInfo({ host_cpuinfo: cpuInfoFixture(name), cpus });
}

/** The values of a key, in order. */
function valuesOf(text: string, key: string): string[] {
  return [...text.matchAll(new RegExp(`^${key}\\s*: (.*)$`, 'gm'))].map(([, value = '']) => value);
}

describe('RenderCpuInfo()', () => {
  it.each(hosts)('repeats the host byte for byte when all is visible: $name', ({ text }) => {
    const all = { cpuset: '0-8191', online: '0-8191' };
    expect(core.renderCpuInfo({ host_cpuinfo: text, cpus: all })).toBe(text);
  });

  it('keeps physical numbers, or counts from 0', () => {
    expect(
      valuesOf(render('x86_64-8cpu', { ...virtual, numbering: 'physical' }), 'processor'),
    ).toEqual(['1', '3']);
    expect(valuesOf(render('x86_64-8cpu', virtual), 'processor')).toEqual(['0', '1']);
  });

  it.each([
    // CPUs 0 and 4 are threads of one core, 0 and 1 cores of one package, 0 and 2 packages.
    { cpuset: '0,4', siblings: ['2', '2'], cores: ['1', '1'] },
    { cpuset: '0,1', siblings: ['2', '2'], cores: ['2', '2'] },
    { cpuset: '0,2', siblings: ['1', '1'], cores: ['1', '1'] },
    { cpuset: '0,1,4,6', siblings: ['3', '3', '3', '1'], cores: ['2', '2', '2', '1'] },
  ])('counts siblings and cores among CPUs $cpuset', ({ cpuset, siblings, cores }) => {
    const rendered = render('x86_64-8cpu', { cpuset, online: '0-7' });
    expect(valuesOf(rendered, 'siblings')).toEqual(siblings);
    expect(valuesOf(rendered, 'cpu cores')).toEqual(cores);
  });

  it('changes no other line of x86', () => {
    const rendered = render('x86_64-8cpu', { cpuset: '5', online: '0-7' });
    const block = core.parseCpuInfo(cpuInfoFixture('x86_64-8cpu')).blocks[5]?.text ?? '';
    const expected = block
      .replace(/^siblings\t: 4$/m, 'siblings\t: 1')
      .replace(/^cpu cores\t: 2$/m, 'cpu cores\t: 1');
    expect(rendered).toBe(expected);
  });

  it('keeps the parts of arm64 with their CPU', () => {
    const rendered = render('arm64-4cpu', virtual);
    expect(valuesOf(rendered, 'CPU part')).toEqual(['0xd05', '0xd0a']);
    expect(valuesOf(rendered, 'processor')).toEqual(['0', '1']);
  });

  it.each([
    ['arm-4cpu', '\nHardware\t: BCM2711\nRevision\t: c03111\nSerial\t\t: 100000003a4b5c6d\n'],
    ['ppc64le-4cpu', '\ntimebase\t: 512000000\nplatform\t: pSeries\n'],
  ])('keeps what follows the CPUs of %s', (name, tail) => {
    expect(render(name, { cpuset: '0', online: '0-3' })).toContain(tail);
  });

  it('cuts and renumbers both lists of s390x, and says how many there are', () => {
    const rendered = render('s390x-4cpu', virtual);

    expect(rendered).toMatch(/^vendor_id {7}: IBM\/S390\n# processors {4}: 2\nbogomips per cpu: /);
    expect(rendered.match(/^processor .*$/gm)).toEqual([
      'processor 0: version = 00,  identification = 09DD98,  machine = 8561',
      'processor 1: version = 00,  identification = 09DD98,  machine = 8561',
    ]);
    expect(valuesOf(rendered, 'cpu number')).toEqual(['0', '1']);
    expect(valuesOf(rendered, 'address')).toEqual(['1', '3']);
    expect(valuesOf(rendered, 'siblings')).toEqual(['2', '2']);
    expect(valuesOf(rendered, 'cpu cores')).toEqual(['2', '2']);
  });

  it('shows as many CPUs as the view has, and can be parsed again', () => {
    fc.assert(
      fc.property(cpusInput, fc.constantFrom('x86_64-8cpu', 's390x-4cpu'), (any, name) => {
        const cpus = { ...any, cpuset: '0-3', online: '0-3' };
        const { count } = core.deriveVisibleCpus(cpus);
        const info = core.parseCpuInfo(render(name, cpus));
        expect(info.blocks).toHaveLength(count);
        expect(info.sections).toHaveLength(info.is_s390 ? count : 0);
      }),
    );
  });
});
