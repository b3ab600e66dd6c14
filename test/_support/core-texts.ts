// SPDX-License-Identifier: Apache-2.0
// Kernel texts for the tests of core, and what its parsers say about bad ones.
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { core } from './testing-addon.js';
import { parseTree } from './tree.js';

const fixtures = new URL('../fixtures/', import.meta.url);

/** Matches the error of a parser that stopped at `line`. */
export function parseError(line: number): Error {
  return expect.objectContaining({ code: 'EINVAL', errno: -22, syscall: 'parse', line }) as Error;
}

/** `/proc/cpuinfo` of a machine, from test/fixtures/cpuinfo. */
export function cpuInfoFixture(name: string): string {
  return readFileSync(new URL(`cpuinfo/${name}.txt`, fixtures), 'utf8');
}

export interface CapturedText {
  /** The captured host and the path in it. */
  name: string;
  text: string;
}

let captured: CapturedText[] | undefined;

/** The texts of all captured hosts whose path matches, without repetitions. */
export function capturedTexts(path: RegExp): CapturedText[] {
  captured ??= readCaptured();
  const seen = new Set<string>();
  return captured.filter(({ name, text }) => {
    if (!path.test(name) || seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function readCaptured(): CapturedText[] {
  const directory = new URL('hosts/', fixtures);
  return readdirSync(directory)
    .filter((file) => file.endsWith('.tree'))
    .flatMap((file) =>
      parseTree(readFileSync(new URL(file, directory))).entries.flatMap((entry) =>
        entry.kind === 'file'
          ? [{ name: `${file}:${entry.path}`, text: entry.content.toString('latin1') }]
          : [],
      ),
    );
}

/** A `/proc/meminfo` with these lines, in kB. */
export function memInfoText(lines: Record<string, bigint | number>): string {
  return Object.entries(lines)
    .map(([label, value]) =>
      label.startsWith('HugePages_')
        ? `${`${label}:`.padEnd(19)}${String(value).padStart(5)}\n`
        : `${`${label}:`.padEnd(16)}${String(value).padStart(8)} kB\n`,
    )
    .join('');
}

/** The values of a meminfo text by label. */
export function memInfoValues(text: string): Record<string, bigint> {
  return Object.fromEntries(core.parseMemInfo(text).map(({ label, value }) => [label, value]));
}
