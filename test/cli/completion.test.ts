// SPDX-License-Identifier: Apache-2.0
// Completion as the shells do it: each is given a line, and says what it would offer for the last word.
import { writeFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { loadCommands } from '../../src/cli/commands.js';
import { fromBash, fromFish, fromZsh, type Offers } from '../_support/completion.js';
import { lensfs, program } from '../_support/lensfs.js';
import { built, command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const commands = await loadCommands();

async function filesOfShow(): Promise<string[]> {
  const { stderr } = await lensfs(['show', 'none']);
  return (/one of (.*)/.exec(stderr)?.[1] ?? '').split(', ');
}

/** Zsh tells of what it would add only: to a list a word, and "=" not before it is added. */
const added = (word: string) => word.replace(/^.*,/, '').replace(/=$/, '');
const all = (word: string) => word;

const shells: [string, Offers, shown: (word: string) => string][] = [
  ['bash', fromBash, all],
  ['fish', fromFish, all],
  ['zsh', fromZsh, added],
];

/** Lines and exactly what is offered for their last word. */
const exact: [line: string[], offered: string[]][] = [
  [
    ['hook', ''],
    ['install', 'remove'],
  ],
  [['hook', '--file', 'x', 'install', 'do'], ['docker']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['manual', 'lensfs.'], ['lensfs.yaml']],
  [['config', 'in'], ['init']],
  [
    ['kubernetes', ''],
    ['manifests', 'node', 'scan', 'webhook'],
  ],
  [
    ['top', '--sort', ''],
    ['cpu', 'memory', 'throttled', 'reads', 'pressure', 'name'],
  ],
  [
    ['kubernetes', 'manifests', '--mode', ''],
    ['agent', 'webhook', 'policy', 'runtimeclass'],
  ],
  [['kubernetes', 'manifests', '--mode', 'agent', '--mode', 'w'], ['webhook']],
  [['kubernetes', 'webhook', '--tls', 'f'], ['files']],
  [['kubernetes', 'webhook', '--files', 'meminfo,lo'], ['meminfo,loadavg']],
  [
    ['kubernetes', 'webhook', '--log-level', ''],
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
  ],
  [['attach', '--files', 'me'], ['memory']],
  [
    ['attach', '--files', 'cpu,memory,'],
    ['cpu,memory,all', 'cpu,memory,io', 'cpu,memory,pressure', 'cpu,memory,uptime'],
  ],
  [['serve', '--set', 'cpu.c'], ['cpu.count=']],
  [
    ['serve', '--set', 'swap=off', '--set', 'cpu.'],
    ['cpu.count=', 'cpu.numbering='],
  ],
  // No daemon is running.
  [['attach', 'w'], []],
  [['top', '--sort', 'memory', '--int'], ['--interval']],
  [['kubernetes', 'scan', '--cert'], []],
  [['kubernetes', 'node', '--namespace-l'], []],
  [['config', 'init', 'pod'], ['pods.yaml']],
  [['serve', '--config', 'pod'], ['pods.yaml']],
  [['kubernetes', 'scan', '-f', 'pod'], ['pods.yaml']],
];

for (const [shell, offersOf, shown] of shells) {
  const test = testWith(built(program), command(shell));
  describe(`completion for ${shell}`, () => {
    test('offers the values of options and operands, each for its own command', async () => {
      await using dir = await TempDir.create();
      await writeFile(dir.at('pods.yaml'), '');
      const offers = await offersOf(
        exact.map(([words]) => words),
        dir,
      );
      const seen = exact.map(([words], index) => [words, [...(offers[index] ?? [])].sort()]);
      expect(seen).toEqual(exact.map(([words, offered]) => [words, offered.map(shown).sort()]));
    }, 120_000);

    test('offers the files that can be shown', async () => {
      await using dir = await TempDir.create();
      const files = (await filesOfShow()).sort();
      expect(files).toContain('proc/meminfo');
      const offers = await offersOf(
        [
          ['show', '--pid', '1', ''],
          ['explain', ''],
        ],
        dir,
      );
      expect(offers.map((offered) => [...offered].sort())).toEqual([files, files]);
    }, 60_000);

    test('offers every command and every option', async () => {
      await using dir = await TempDir.create();
      const lines = commands.map(({ name }) => [...name.split(' '), '--']);
      const [first = [], ...offers] = await offersOf([[''], ...lines], dir);
      expect(first).toEqual(expect.arrayContaining(commands.map(({ name }) => name.split(' ')[0])));
      const options = commands.map(({ options }) => [...Object.keys(options), 'help'].sort());
      expect(
        offers.map((offered) => [...new Set(offered.map((option) => option.slice(2)))].sort()),
      ).toEqual(options);
    }, 120_000);
  });
}
