// SPDX-License-Identifier: Apache-2.0
// How the programs that are shipped are built: at a new address each time, with tables that cannot be written to.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { countBytes, type Elf, parseElf } from '../_support/elf.js';
import { built, testWith } from '../_support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const programs = ['lensfs-hook', 'lensfs-keeper', 'lensfs-runtime'];
const shipped = ['addon.node', ...programs];
const here = 'build/Release';
const test = testWith(...shipped.map((name) => built(join(repository, here, name))));

/** Here, and whatever was built for another machine as well. */
function buildDirectories(): string[] {
  const packaged = join(repository, 'prebuilds');
  const names = existsSync(packaged) ? readdirSync(packaged) : [];
  const others = names.filter((name) => name.startsWith('linux-'));
  return [here, ...others.map((name) => join('prebuilds', name))];
}

/** What the compiler puts where functions are entered by their address, and where it makes a large frame. */
const traces: Record<Elf['machine'], { entry: string; probe?: string }> = {
  x64: { entry: 'f30f1efa', probe: '48830c2400' }, // endbr64; orq $0,(%rsp)
  arm64: { entry: '3f2303d5' }, // paciasp
  other: { entry: '' },
};

describe('programs that are shipped', () => {
  for (const directory of buildDirectories()) {
    for (const name of shipped) {
      test(`are hardened: ${directory}/${name}`, () => {
        const elf = parseElf(readFileSync(join(repository, directory, name)));
        expect(elf).toMatchObject({
          isPositionIndependent: true,
          interpreter: undefined,
          hasRelro: true,
          hasExecutableStack: false,
          isBoundAtStart: true,
          hasWritableCode: false,
        });
        const { entry, probe } = traces[elf.machine];
        expect(countBytes(elf.code, entry)).toBeGreaterThan(100);
        if (probe !== undefined) expect(countBytes(elf.code, probe)).toBeGreaterThan(0);
      });
    }
  }

  test('check lengths that the compiler knows', () => {
    const found = [
      ['lensfs-hook', '__syslog_chk'],
      ['addon.node', '__stack_chk_fail'],
    ].map(([file = '', name = '']) => {
      return readFileSync(join(repository, here, file), 'latin1').includes(name);
    });
    expect(found).toEqual([true, true]);
  });
});

describe('parseElf()', () => {
  test('rejects what is no ELF file', () => {
    expect(() => parseElf(Buffer.from('#!/bin/sh'))).toThrow('Expected an ELF file');
  });

  test('sees what a file lacks', () => {
    const file = readFileSync(join(repository, here, 'lensfs-hook'));
    file.writeUInt16LE(2, 16); // ET_EXEC
    const headers = Number(file.readBigUInt64LE(32));
    // PT_NULL in place of every other segment.
    for (let at = headers; at < headers + 56 * file.readUInt16LE(56); at += 56) {
      if (file.readUInt32LE(at) !== 1) file.writeUInt32LE(0, at);
    }
    expect(parseElf(file)).toMatchObject({
      isPositionIndependent: false,
      hasRelro: false,
      hasExecutableStack: true,
      isBoundAtStart: false,
    });
  });
});
