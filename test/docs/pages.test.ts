// SPDX-License-Identifier: Apache-2.0
// What the pages say besides commands: kinds of blocks, names, links, tables.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { commands } from '../../src/cli/program.js';
import { blockKinds, blocksOf, commandsNamedIn, matchesShown } from '../_support/doc-blocks.js';
import { metricsTable, numbersTables, readPage } from '../_support/docs-tables.js';

const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
);

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  test('has only blocks that a test knows how to check', () => {
    const unknown = blocksOf(page, text).filter(({ kind }) => !blockKinds.some((k) => k === kind));
    expect(unknown.map(({ line, kind }) => `${page}:${line}: "${kind}"`)).toEqual([]);
  });

  test('hides no command in a block of text', () => {
    for (const { kind, text: block, line } of blocksOf(page, text)) {
      if (kind !== 'text') continue;
      const typed = block.split('\n').filter((each) => /^(lensfs|docker|podman|ctr) /.test(each));
      expect(typed, `${page}:${line}`).toEqual([]);
    }
  });

  test('names commands that there are', () => {
    const known = commands.map(({ name }) => name.split(' ')[0]);
    for (const name of commandsNamedIn(text))
      expect(known, `${page}: lensfs ${name}`).toContain(name);
  });

  test('has YAML that is YAML', () => {
    const yaml = blocksOf(page, text).filter(({ kind }) => kind.startsWith('yaml'));
    for (const { text: block } of yaml) expect(parseYaml(block)).toBeTypeOf('object');
  });

  test('links to files and headings that there are', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect(existsSync(file), `${page}: ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsOf(file), `${page}: ${target}`).toContain(anchor);
    }
  });
});

test('docs/metrics.md lists every metric', () => {
  const rows = (text: string) => text.split('\n').filter((line) => /^\| `\w+` \|/.test(line));
  expect(rows(readPage('metrics.md'))).toEqual(rows(metricsTable()));
});

test('docs/numbers.md has the formulas that `lensfs explain` shows', () => {
  expect(readPage('numbers.md')).toContain(numbersTables());
});

describe('matchesShown()', () => {
  test('takes "…" for any text, and all else as it is', () => {
    expect(matchesShown('a … (c)\n', 'a b\nb (c)\n')).toBe(true);
    expect(matchesShown('a.c', 'abc')).toBe(false);
    expect(matchesShown('a', 'ab')).toBe(false);
  });
});

function anchorsOf(file: string): string[] {
  const headings = readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
