// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  changedKeys,
  describeProblem,
  type Entry,
  parseConfig,
  withKeys,
} from '../../src/config/parse.js';
import { type Config, configKeys, configSchema } from '../../src/config/schema.js';
import { virtualFiles } from '../../src/config/virtual-files.js';

function set(key: string, value: unknown, origin = 'test'): Entry {
  return { key, value, origin };
}

function configOf(...entries: Entry[]): Config {
  const parsed = parseConfig(entries);
  if (parsed.ok) return parsed.config;
  throw new Error(parsed.problems.map(describeProblem).join('\n'));
}

function problemsOf(...entries: Entry[]): string[] {
  const parsed = parseConfig(entries);
  return parsed.ok ? [] : parsed.problems.map(describeProblem);
}

/** Every key with values that are wrong for it, and what the message must say was expected. */
const wrongValues: Record<string, [expected: string, ...values: unknown[]]> = {
  tree: ['an absolute path', 'relative', '', 5, true, null, ['/a'], '/a\0b'],
  run_dir: ['an absolute path of at most 94 bytes', 'run', '', 5, null, `/${'x'.repeat(94)}`],
  freshness: [
    'a duration from 0 to 60s, such as 10ms',
    ...['10', 10, -1, '61s', '60001ms', '1m', 'ms', '', '-5ms', '1e3ms', null, true, [0]],
  ],
  'cpu.count': ['quota or cpuset', 'many', 'Quota', '', 1, null, true],
  'cpu.numbering': ['physical or virtual', 'logical', 0, null],
  swap: ['on or off', 'maybe', 1, '1', '', null],
  loadavg: ['on or off', 'sometimes', 0, null],
  files: [`all, or a list of ${virtualFiles.join(', ')}`, 'some', ['proc/none'], 5, null, ''],
  profiles: ['a list of mappings, in a configuration file', 'x', 5, null, { match: {} }],
  'control.group': ['the name or number of a group', '', 'A B', 5, null],
  'metrics.listen': ['off, or an address and port such as 127.0.0.1:9910', '9910', 'on', '', null],
  on_failure: ['host or error', 'panic', true, null],
  'views.max': [
    'an integer from 16 to 65536',
    15,
    65_537,
    '15',
    1.5,
    '1e3',
    '',
    null,
    true,
    '0x20',
  ],
  'handles.max': ['an integer from 16 to 1048576', 0, 1_048_577, 'all', null],
  'workers.deaths': ['an integer from 1 to 1000000', 0, -1, 'many', null],
  'workers.window': ['a duration from 0 to 60s, such as 10s', '61s', 'soon', -1],
  standby: ['on or off', 'maybe', 1, null],
  seccomp: ['on or off', 'maybe', 2, null],
  'pressure.triggers': ['on or off', 'maybe', 2, null],
  readers: ['an integer from 1 to 16', 0, 17, -1, 'two', null],
  transport: ['auto, ring or classic', 'fast', 1, null],
  'ring.enable_module': ['on or off', 'maybe', 1, null],
  'log.level': ['trace, debug, info, warn, error or fatal', 'loud', 3, 'INFO', null],
  'roots.proc': ['an absolute path', 'proc', null],
  'roots.cgroup': ['an absolute path', './cgroup', null],
  'roots.sys': ['an absolute path', '', null],
  'roots.docker': ['auto, or an absolute path', 'var/lib/docker', '', null],
};

describe('parseConfig()', () => {
  test('has a default for every key', () => {
    expect(configOf()).toEqual({
      tree: '/var/lib/lensfs',
      run_dir: '/run/lensfs',
      freshness: { usec: 10_000 },
      cpu: { count: 'quota', numbering: 'physical' },
      swap: true,
      loadavg: true,
      files: [...virtualFiles],
      profiles: [],
      control: { group: 'root' },
      metrics: { listen: 'off' },
      on_failure: 'host',
      views: { max: 4096 },
      handles: { max: 16_384 },
      workers: { deaths: 5, window: { usec: 10_000_000 } },
      standby: false,
      seccomp: true,
      pressure: { triggers: false },
      readers: 1,
      transport: 'auto',
      ring: { enable_module: false },
      log: { level: 'info' },
      roots: { proc: '/proc', cgroup: '/sys/fs/cgroup', sys: '/sys', docker: 'auto' },
    });
  });

  test('knows wrong values for every key there is', () => {
    expect(Object.keys(wrongValues).sort()).toEqual(configKeys.map(({ name }) => name).sort());
  });

  test.each(Object.entries(wrongValues))(
    'refuses wrong values of %s',
    (key, [expected, ...values]) => {
      for (const value of values) {
        const got = value === null ? 'nothing' : JSON.stringify(value);
        const shown = got.length > 80 ? `${got.slice(0, 80)}…` : got;
        expect(problemsOf(set(key, value, 'here'))).toEqual([
          `${key}: expected ${expected}, got ${shown} (here)`,
        ]);
      }
    },
  );

  test.each([
    ['0', 0],
    [0, 0],
    ['250ms', 250_000],
    ['1s', 1_000_000],
    ['0.5s', 500_000],
    ['1500us', 1_500],
    ['60s', 60_000_000],
  ])('reads the duration %s', (text, usec) => {
    expect(configOf(set('freshness', text)).freshness).toEqual({ usec });
  });

  test.each([
    [true, true],
    ['on', true],
    ['yes', true],
    ['true', true],
    [false, false],
    ['off', false],
    ['no', false],
    ['false', false],
  ])('reads the switch %s', (text, isOn) => {
    expect(configOf(set('swap', text), set('loadavg', text))).toMatchObject({
      swap: isOn,
      loadavg: isOn,
    });
  });

  test('reads integers as numbers and as text', () => {
    expect(configOf(set('views.max', 16), set('readers', '16'))).toMatchObject({
      views: { max: 16 },
      readers: 16,
    });
  });

  test.each([
    [[5], 'profiles[0]: expected a mapping with match, got 5 (test)'],
    [
      [{}],
      'profiles[0].match: expected a mapping with at least one of cgroup, name, label, got nothing (test)',
    ],
    [
      [{ match: {} }],
      'profiles[0].match: expected a mapping with at least one of cgroup, name, label, got {} (test)',
    ],
    [
      [{ match: { cgroup: 'x' } }],
      'profiles[0].match.cgroup: expected a pattern for a path from the root, such as /docker/*, got "x" (test)',
    ],
    [
      [{ match: { label: '=x' } }],
      'profiles[0].match.label: expected a label or label=value, such as team=data, got "=x" (test)',
    ],
    [
      [{ match: { name: 5 } }],
      'profiles[0].match.name: expected a pattern for a container name, such as web-*, got 5 (test)',
    ],
    [
      [{ match: { name: 'a' }, cpu: { count: 'x' } }],
      'profiles[0].cpu.count: expected quota or cpuset, got "x" (test)',
    ],
    [[{ match: { name: 'a' }, swap: 'x' }], 'profiles[0].swap: expected on or off, got "x" (test)'],
    [
      [{ match: { name: 'a' }, freshness: '1h' }],
      'profiles[0].freshness: expected a duration from 0 to 60s, such as 10ms, got "1h" (test)',
    ],
    [
      [{ match: { name: 'a' }, cpu: 5 }],
      'profiles[0].cpu: expected a mapping with count, numbering, got 5 (test)',
    ],
    [
      [{ match: { name: 'a' }, cpu: { numbering: 'x' } }],
      'profiles[0].cpu.numbering: expected physical or virtual, got "x" (test)',
    ],
    [
      [{ match: { name: 'a' }, files: 'proc/none' }],
      `profiles[0].files: expected ${wrongValues['files']?.[0]}, got "proc/none" (test)`,
    ],
    [
      [{ match: { name: 'a' }, files: ['proc/stat', 5] }],
      `profiles[0].files: expected ${wrongValues['files']?.[0]}, got ["proc/stat",5] (test)`,
    ],
    [[{ match: { name: 'a' }, colour: 1 }], 'profiles[0].colour: unknown key (test)'],
    [[{ match: { name: 'a', image: 'b' } }], 'profiles[0].match.image: unknown key (test)'],
  ])('names what is wrong in the profiles %j', (profiles, message) => {
    expect(problemsOf(set('profiles', profiles))).toEqual([message]);
  });

  test('removes what is superfluous in paths', () => {
    expect(configOf(set('tree', '/srv//lens/../lens/')).tree).toBe('/srv/lens');
  });

  test('lets the last entry for a key win', () => {
    const entries = [set('cpu.count', 'cpuset', 'file'), set('cpu.count', 'quota', '--set')];
    expect(configOf(...entries).cpu.count).toBe('quota');
  });

  test('refuses a wrong value even where it is overridden', () => {
    const entries = [set('readers', 99, 'file'), set('readers', 2, '--set')];
    expect(problemsOf(...entries)).toEqual([
      'readers: expected an integer from 1 to 16, got 99 (file)',
    ]);
  });

  test('reports all problems at once', () => {
    const entries = Object.entries(wrongValues).map(([key, [, value]]) => set(key, value));
    expect(problemsOf(...entries)).toHaveLength(entries.length);
  });

  test.each([
    ['cpu.cout', 'cpu.count'],
    ['cpus.count', 'cpu.count'],
    ['freshnes', 'freshness'],
    ['run-dir', 'run_dir'],
    ['numbering', 'cpu.numbering'],
    ['level', 'log.level'],
    ['roots.cgroups', 'roots.cgroup'],
    ['viwes', 'views'],
  ])('refuses the unknown key %s and suggests the nearest', (key, suggestion) => {
    const message = `${key}: unknown key, did you mean "${suggestion}" (test)`;
    expect(problemsOf(set(key, 'x'))).toEqual([message]);
  });

  test('suggests nothing for a key like no other', () => {
    expect(problemsOf(set('kubernetes', 'x'))).toEqual(['kubernetes: unknown key (test)']);
    expect(problemsOf(set('__proto__', 'x'))).toEqual(['__proto__: unknown key (test)']);
    expect(problemsOf(set('constructor', 'x'))).toEqual(['constructor: unknown key (test)']);
  });

  test('tells a section from a value', () => {
    expect(problemsOf(set('cpu', 5), set('tree.a.b', 1))).toEqual([
      'cpu: expected a mapping with count, numbering, got 5 (test)',
      'tree: expected an absolute path, got a mapping (test)',
    ]);
  });

  test('takes an empty section for an absent one', () => {
    expect(configOf(set('cpu', null), set('log', {}))).toEqual(configOf());
  });

  test.each([
    ['/srv/lens', '/srv/lens/run'],
    ['/srv/lens', '/srv/lens'],
    ['/', '/run/lensfs'],
  ])('refuses with tree %s the run_dir %s below it', (tree, runDir) => {
    expect(problemsOf(set('tree', tree), set('run_dir', runDir))).toEqual([
      `run_dir: expected a directory outside of tree, got "${runDir}" (test)`,
    ]);
  });

  test('does not take a longer name for a directory below', () => {
    expect(problemsOf(set('tree', '/run/lens'), set('run_dir', '/run/lensfs'))).toEqual([]);
  });
});

describe('changedKeys()', () => {
  test('names what differs, and nothing else', () => {
    const after = configOf(set('cpu.count', 'cpuset'), set('freshness', '1s'), set('readers', 2));
    const changed = changedKeys(configOf(), after).map(({ name, live }) => [name, live]);
    expect(changed).toEqual([
      ['freshness', true],
      ['cpu.count', true],
      ['readers', false],
    ]);
    expect(changedKeys(after, after)).toEqual([]);
    expect(changedKeys(configOf(), configOf(set('freshness', '0.01s')))).toEqual([]);
  });
});

describe('withKeys()', () => {
  test('takes over some keys and changes no argument', () => {
    const base = configOf();
    const from = configOf(set('cpu.count', 'cpuset'), set('readers', 2));
    const merged = withKeys(
      base,
      from,
      changedKeys(base, from).filter(({ live }) => live),
    );
    expect(merged).toEqual(configOf(set('cpu.count', 'cpuset')));
    expect(base).toEqual(configOf());
  });
});

describe('configSchema', () => {
  test('becomes a JSON Schema with a description of every key', () => {
    const schema = z.toJSONSchema(configSchema, { io: 'input' });
    for (const { name, description } of configKeys) {
      const path = name.split('.').flatMap((part) => ['properties', part]);
      expect(schema).toHaveProperty([...path, 'description'], description);
    }
  });
});
