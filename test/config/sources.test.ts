// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { describeProblem, parseConfig } from '../../src/config/parse.js';
import { parseYaml } from '../../src/config/parse-yaml.js';
import { readSources, type Sources } from '../../src/config/sources.js';
import { serviceVariables } from '../_support/kubelet.js';
import { TempDir } from '../_support/temp-dir.js';

function problemsOf({ entries, problems }: Sources): string[] {
  const parsed = parseConfig(entries);
  return [...problems, ...(parsed.ok ? [] : parsed.problems)].map(describeProblem);
}

describe('parseYaml()', () => {
  test('knows the line of each value', () => {
    const { entries } = parseYaml('# comment\ntree: /a\n\ncpu:\n  count: cpuset\n', 'f.yaml');
    expect(entries).toEqual([
      { key: 'tree', value: '/a', origin: 'f.yaml, line 2' },
      { key: 'cpu.count', value: 'cpuset', origin: 'f.yaml, line 5' },
    ]);
  });

  test('leaves on and off to the schema', () => {
    const { entries } = parseYaml('swap: off\nloadavg: on\n', 'f.yaml');
    const parsed = parseConfig(entries);
    expect(parsed).toMatchObject({ ok: true, config: { swap: false, loadavg: true } });
  });

  test.each(['', '# only a comment\n', '---\n', '~\n', '{}', '{}\n', '--- {}\n', '# none\n{ }\n'])(
    'takes %j for an empty file',
    (text) => {
      expect(parseYaml(text, 'f.yaml')).toEqual({ entries: [], problems: [] });
    },
  );

  test('takes a section whose keys are all commented out for an absent one', () => {
    expect(problemsOf(parseYaml('cpu:\n  # count: quota\ntree: /a\n', 'f.yaml'))).toEqual([]);
  });

  test('reports every syntax error with its line', () => {
    const { problems } = parseYaml('tree: /a\ncpu: {count: quota\nlog: "x\n', 'f.yaml');
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(describeProblem(problem)).toMatch(/^not valid YAML: .+ \(f\.yaml, line [234]\)$/);
    }
  });

  test('refuses a key that is written twice', () => {
    expect(problemsOf(parseYaml('tree: /a\ntree: /b\n', 'f.yaml'))).toEqual([
      'not valid YAML: Map keys must be unique (f.yaml, line 2)',
    ]);
  });

  test.each(['- a\n- b\n', 'text\n', '5\n'])('refuses %j, which is no mapping', (text) => {
    expect(problemsOf(parseYaml(text, 'f.yaml'))).toEqual([
      'expected a mapping of keys to values (f.yaml)',
    ]);
  });

  test('reports unknown keys and wrong values together, each with its line', () => {
    const text = 'tree: 5\ncpu:\n  cout: quota\n  numbering: [1]\nviews: 7\n';
    expect(problemsOf(parseYaml(text, 'f.yaml'))).toEqual([
      'tree: expected an absolute path, got 5 (f.yaml, line 1)',
      'cpu.cout: unknown key, did you mean "cpu.count" (f.yaml, line 3)',
      'cpu.numbering: expected physical or virtual, got [1] (f.yaml, line 4)',
      'views: expected a mapping with max, got 7 (f.yaml, line 5)',
    ]);
  });
});

describe('readSources()', () => {
  test('orders file, environment, flags', async () => {
    await using dir = await TempDir.create();
    await writeFile(
      dir.at('c.yaml'),
      'readers: 2\ntree: /file\nrun_dir: /file\non_failure: error\n',
    );
    const read = (values: Record<string, string>, sets: string[], env: Record<string, string>) =>
      readSources({ file: dir.at('c.yaml'), values, sets }, env);

    const env = { LENSFS_READERS: '3', LENSFS_TREE: '/env', LENSFS_RUN_DIR: '/env' };
    const all = await read({ run_dir: '/flag' }, ['readers=4'], env);
    expect(parseConfig(all.entries)).toMatchObject({
      ok: true,
      config: { readers: 4, tree: '/env', run_dir: '/flag', on_failure: 'error' },
    });
  });

  test('maps variables to keys', async () => {
    const env = {
      LENSFS_CPU_COUNT: 'cpuset',
      LENSFS_ON_FAILURE: 'error',
      LENSFS_ROOTS_CGROUP: '/cg',
      OTHER: 'x',
    };
    const { entries } = await readSources({ file: '/dev/null' }, env);
    expect(entries).toEqual([
      { key: 'cpu.count', value: 'cpuset', origin: 'LENSFS_CPU_COUNT' },
      { key: 'on_failure', value: 'error', origin: 'LENSFS_ON_FAILURE' },
      { key: 'roots.cgroup', value: '/cg', origin: 'LENSFS_ROOTS_CGROUP' },
    ]);
  });

  test('refuses a variable that is no key', async () => {
    const sources = await readSources({ file: '/dev/null' }, { LENSFS_CPU_COUNTS: '1' });
    expect(problemsOf(sources)).toEqual([
      'cpu_counts: unknown key, did you mean "cpu.count" (LENSFS_CPU_COUNTS)',
    ]);
  });

  test.each(['lensfs', 'lensfs-injector', 'lensfs-log', 'lensfs-cpu-count'])(
    'overlooks what Kubernetes sets for a service named %s',
    async (name) => {
      const ports = [
        { name: 'https', port: 443 },
        { name: 'some-udp', port: 53, protocol: 'UDP' },
      ];
      const variables = serviceVariables({ metadata: { name }, spec: { ports } });
      const env = Object.fromEntries(variables.map((variable) => variable.split('=')));
      expect(Object.keys(env).length).toBeGreaterThan(10);
      expect(await readSources({ file: '/dev/null' }, env)).toEqual({ entries: [], problems: [] });
    },
  );

  test('refuses a --set without a key or a value', async () => {
    const sources = await readSources({ file: '/dev/null', sets: ['readers', '=5', 'tree='] }, {});
    expect(problemsOf(sources)).toEqual([
      'expected key=value, got "readers" (--set)',
      'expected key=value, got "=5" (--set)',
      'tree: expected an absolute path, got "" (--set)',
    ]);
  });

  test('keeps what follows the first = of a --set', async () => {
    const { entries } = await readSources({ file: '/dev/null', sets: ['tree=/a=b'] }, {});
    expect(entries).toEqual([{ key: 'tree', value: '/a=b', origin: '--set' }]);
  });

  test('reports a named file that is missing, or is a directory', async () => {
    await using dir = await TempDir.create();
    const missing = await readSources({ file: dir.at('none.yaml') }, {});
    expect(problemsOf(missing)).toEqual([expect.stringMatching(/^cannot read the file: ENOENT/)]);
    const directory = await readSources({ file: dir.path }, {});
    expect(problemsOf(directory)).toEqual([expect.stringMatching(/^cannot read the file: EISDIR/)]);
  });

  test('reports a file that is too large', async () => {
    await using dir = await TempDir.create();
    await writeFile(dir.at('c.yaml'), '#'.repeat(1024 * 1024 + 1));
    const sources = await readSources({ file: dir.at('c.yaml') }, {});
    expect(problemsOf(sources)).toEqual([expect.stringMatching(/^larger than 1048576 bytes/)]);
  });
});
