// SPDX-License-Identifier: Apache-2.0
// What the pages say besides commands: kinds of blocks, names, links, tables.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { commandNames } from '../../src/cli/commands.js';
import { capturesOf, lineProblems, tableProblems } from '../_support/captures.js';
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
    const known = commandNames.map((name) => name.split(' ')[0]);
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

describe('tableProblems()', () => {
  const printed =
    'NAME  CPU  OF       MEMORY           LOAD\nweb   1%   2 (0-1)  1 KiB / 1.0 GiB  -\n';
  const shown = (heading: string, row: string) => tableProblems([heading, row], printed);
  const heading = 'NAME         CPU       OF             MEMORY  LOAD';

  test('takes other values, and "-" for none', () => {
    expect(shown(heading, 'batch-1    22.5%  0.5 (0)  20 B / 512 MiB  1.13')).toEqual([]);
    expect(shown(heading, 'batch-1        -  0.5 (0)  20 B / 512 MiB  1.13')).toEqual([]);
  });

  test.each([
    [heading.replace('LOAD', 'LOADS'), 'web  1%  1 (0)  20 B / 512 MiB  -'],
    [heading.replace('MEMORY  ', ''), 'web  1%  1 (0)  20 B / 512 MiB  -'],
    [heading, 'web  1%  1 (0)  20 B / 512 MiB'],
    [heading, 'web  1   1 (0)  20 B / 512 MiB  -'],
    [heading, 'web  1%  1      20 B / 512 MiB  -'],
    [heading, 'web  1%  1 (0)  20 B            -'],
  ])('names what differs in %j, %j', (...lines) => {
    expect(shown(...lines)).toEqual([expect.any(String)]);
  });
});

describe('lineProblems()', () => {
  const printed = 'ok    runc: 1.1.5\nok    tree: /a\nwarn  yama: off\n2 ok, 1 warn\n';

  test('takes other numbers, and "…" for text and lines', () => {
    expect(lineProblems(['ok    runc: 2.0', '…', '7 ok, 0 warn'], printed)).toEqual([]);
    expect(lineProblems(['…', 'ok    tree: …', '…'], printed)).toEqual([]);
  });

  test.each([
    [['…', 'ok    trees: /a', '…']],
    [['ok    runc: 1.1.5', 'warn  yama: off', '2 ok, 1 warn']],
    [['…', 'warn  yama: off', 'ok    tree: /a', '…']],
    [['…', 'warn  yama: off']],
    [['…', '2 ok, 1 warn, 0 fail']],
  ])('names what differs in %j', (shown) => {
    expect(lineProblems(shown, printed)).toEqual([expect.any(String)]);
  });
});

test('capturesOf() takes apart what was typed and what was printed', () => {
  expect(capturesOf('$ lensfs a\nb\n\nc\n\n$ d\n')).toEqual([
    { command: 'lensfs a', lines: ['b', '', 'c'] },
    { command: 'd', lines: [] },
  ]);
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
