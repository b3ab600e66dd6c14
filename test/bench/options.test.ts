// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { parseOptions } from '../../bench/options.js';
import { scenarios } from '../../bench/scenarios.js';

const namesOf = (...argv: string[]) => parseOptions(argv).scenarios.map(({ name }) => name);

describe('parseOptions()', () => {
  test('takes everything, but what only runs by its name', () => {
    expect(namesOf()).toEqual(
      scenarios.filter(({ onlyByName }) => onlyByName !== true).map(({ name }) => name),
    );
  });

  test('takes the essential part with --quick', () => {
    expect(namesOf('--quick')).toEqual([
      ...['meminfo', 'stat'].flatMap((file) =>
        ['open', 'pread'].flatMap((access) => [1, 8].map((n) => `${file} ${access} ${n}`)),
      ),
      'control API beside 1 readers, hammered by 8',
      'control API beside 8 readers, hammered by 0',
      ...['anonymous memory', 'parent with less', 'beside an idle neighbour'].map(
        (name) => `oom: ${name}`,
      ),
    ]);
    const { scenarios: quick } = parseOptions(['--quick']);
    const one = quick.find(({ name }) => name === 'control API beside 8 readers, hammered by 0');
    expect(one).toMatchObject({ drivers: ['lensfs-shared'], maxRounds: 3 });
    expect(parseOptions(['--scenario', one?.name ?? '']).scenarios).toEqual([
      scenarios.find(({ name }) => name === one?.name),
    ]);
    expect(parseOptions(['--quick']).drivers).not.toContain('fuse-native');
  });

  test('finds scenarios by a part of their name, and by all of it', () => {
    expect(namesOf('--scenario', 'uptime')).toEqual(['uptime open 1', 'uptime pread 1']);
    expect(namesOf('--scenario', 'growth 10')).toEqual(['growth 10']);
    expect(namesOf('--scenario', 'fleet')).toEqual(['fleet']);
    expect(namesOf('--scenario', '10 minutes')).toEqual(['fleet for 10 minutes']);
  });

  test('takes numbers above 0', () => {
    expect(parseOptions(['--rounds', '2', '--seconds', '0.5'])).toMatchObject({
      rounds: 2,
      loadSeconds: 0.5,
    });
    expect(() => parseOptions(['--rounds', '0'])).toThrow('--rounds');
    expect(() => parseOptions(['--seconds', 'x'])).toThrow('--seconds');
  });

  test.each([[['--driver', 'nobody']], [['--fast']], [['extra']], [['--scenario', 'nothing']]])(
    'refuses %j',
    (argv) => {
      expect(() => parseOptions(argv)).toThrow();
    },
  );
});
