// SPDX-License-Identifier: Apache-2.0
// lensfs-runtime with a runtime that only tells what it was given.
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  readdir,
  readFile,
  stat,
  writeFile,
} from 'node:fs/promises';
import { delimiter, dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { cleanEnvironment, type Finished, run } from '../_support/lensfs.js';
import { built, root, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(built(runtimeProgram), built(hookProgram));
const testAsRoot = testWith(built(runtimeProgram), built(hookProgram), root);

/** Prints its arguments, its process id and what it reads from descriptor 3, each on a line. */
const fakeRuntime = `#!/bin/sh
for arg; do echo "arg $arg"; done
echo "pid $$"
exit 42
`;

let dir: TempDir;
let fake: string;
let config: string;

beforeEach(async () => {
  dir = await TempDir.create();
  fake = dir.at('fake-runtime');
  config = dir.at('bundle/config.json');
  await writeFile(fake, fakeRuntime, { mode: 0o755 });
  await mkdir(dir.at('bundle'));
});

afterEach(async () => await dir[Symbol.asyncDispose]());

async function call(...args: string[]): Promise<Finished & { args: string[] }> {
  const finished = await run(runtimeProgram, [`--lensfs-runtime=${fake}`, ...args], {
    cwd: dir.at('bundle'),
  });
  const lines = finished.stdout.split('\n').filter((line) => line.startsWith('arg '));
  return { ...finished, args: lines.map((line) => line.slice('arg '.length)) };
}

/** The config.json that a call of "create" leaves. */
async function edited(text: string, ...options: string[]): Promise<string> {
  await writeFile(config, text);
  const { code } = await call(...options, 'create', '--bundle', dir.at('bundle'), 'id');
  expect(code).toBe(42);
  return await readFile(config, 'utf8');
}

/** What calls of "create" leave of these texts, and what they log; fails when one does not end well. */
async function editAll(texts: readonly string[]): Promise<{ text: string; log: string }[]> {
  const bundles = texts.map((_, index) => dir.at(`bundle-${index}`));
  for (const [index, text] of texts.entries()) {
    await mkdir(bundles[index] ?? '');
    await writeFile(`${bundles[index]}/config.json`, text);
  }
  const create = '"$0" --lensfs-runtime=/bin/true --log "$bundle/log" create -b "$bundle" id';
  const all = `for bundle; do ${create} || exit 1; done`;
  const { code } = await run('sh', ['-c', all, runtimeProgram, ...bundles]);
  expect(code).toBe(0);
  return await Promise.all(
    bundles.map(async (bundle) => ({
      text: await readFile(`${bundle}/config.json`, 'utf8'),
      log: await readFile(`${bundle}/log`, 'utf8').catch(() => ''),
    })),
  );
}

interface Hooks {
  hooks: { createRuntime: { path: string; args: string[]; timeout: number }[] };
}

function hooksOf(text: string): Hooks['hooks']['createRuntime'] {
  return (JSON.parse(text) as Hooks).hooks.createRuntime;
}

describe('what the runtime gets', () => {
  const lines = [
    ['--version'],
    ['features'],
    ['--root', '/r', 'state', 'id'],
    ['--root', '/r', '--log', '/l', '--log-format', 'json', 'delete', '--force', 'id'],
    ['exec', '--process', '/p.json', 'id', 'create', '--bundle', '/nowhere'],
    ['kill', 'id', '9'],
    ['update', '--resources', '-', 'id'],
    [],
    ['create'],
    ['--bundle'],
    ['run', '--', 'create'],
    ['checkpoint', '--image-path=/x', 'id'],
    ['--unknown', 'value with blanks', '', '*', "it's"],
  ];

  for (const line of lines) {
    test(`is "${line.join(' ')}" as it was`, async () => {
      await writeFile(config, '{}');
      const { args, code } = await call(...line);
      expect(args).toEqual(line);
      expect(code).toBe(42);
    });
  }

  test('has the process id of its caller’s child', async () => {
    const { stdout } = await run('sh', [
      '-c',
      `echo "pid $$"; exec ${runtimeProgram} --lensfs-runtime=${fake} state id`,
    ]);
    const [first, second] = stdout.split('\n').filter((line) => line.startsWith('pid'));
    expect(second).toBe(first);
  });

  test('has inherited descriptors', async () => {
    await writeFile(fake, '#!/bin/sh\ncat <&5\n', { mode: 0o755 });
    const { stdout } = await run('sh', [
      '-c',
      `echo given >${dir.at('fd')}; exec ${runtimeProgram} --lensfs-runtime=${fake} start id 5<${dir.at('fd')}`,
    ]);
    expect(stdout).toBe('given\n');
  });

  test('is without the options of lensfs-runtime, wherever they are', async () => {
    const { args } = await call('--lensfs-files', 'cpu', 'state', '--lensfs-strict', 'id');
    expect(args).toEqual(['state', 'id']);
  });
});

describe('config.json', () => {
  const places = [
    ['--bundle {bundle}'],
    ['--bundle={bundle}'],
    ['-b {bundle}'],
    ['-b={bundle}'],
    ['-bundle {bundle}'],
    [''],
    ['--config {bundle}/config.json'],
    ['-f {bundle}/config.json'],
  ] as const;
  const globals = [
    '',
    '--root /run --log {log} --log-format json --systemd-cgroup',
    '--debug --criu /criu --rootless true --root=/run',
    '-root create -log {log}',
    '--cgroup-manager cgroupfs --log-level debug',
  ];
  for (const [place] of places) {
    for (const [index, global] of globals.entries()) {
      test(`is found at "${place}" after global options ${index}`, async () => {
        await writeFile(config, '{"ociVersion":"1.0.2"}');
        const fill = (text: string) => {
          const filled = text.replace('{bundle}', dir.at('bundle')).replace('{log}', dir.at('log'));
          return filled.split(' ').filter(Boolean);
        };
        const verb = index % 2 === 0 ? 'create' : 'run';
        const line = [...fill(global), verb, ...fill(place), '--pid-file', '/p', 'create'];
        const { args } = await call(...line);
        expect(args).toEqual(line);
        expect(hooksOf(await readFile(config, 'utf8'))).toHaveLength(1);
      });
    }
  }

  test('is not touched by other commands', async () => {
    const text = '{"ociVersion":"1.0.2"}';
    await writeFile(config, text);
    for (const verb of ['state', 'start', 'delete', 'exec', 'spec', 'list']) {
      await call('--root', 'run', verb, '--bundle', dir.at('bundle'), 'create');
      expect(await readFile(config, 'utf8')).toBe(text);
    }
  });

  test('gets one hook, whose options follow from the call', async () => {
    const log = dir.at('log.json');
    const options = ['--lensfs-files=cpu', '--lensfs-tree', '/t', '--lensfs-run-dir=/r'];
    const text = await edited('{}', ...options, '--log', log, '--log-format=json');
    const [first, ...more] = hooksOf(text);
    expect(more).toEqual([]);
    expect(first).toEqual({
      path: hookProgram,
      args: [
        ...['lensfs-hook', 'create-runtime', '--files=cpu', '--tree=/t', '--run-dir=/r'],
        ...[`--log=${log}`, '--log-format=json'],
      ],
      timeout: 30,
    });
  });

  test('gets it once', async () => {
    const once = await edited('{}');
    expect(await edited(once)).toBe(once);
  });

  const hook = '\u0000'; // stands for the hook
  const texts: [string, string][] = [
    ['{}', `{"hooks":{"createRuntime":[${hook}]}}`],
    ['{"a":1}', `{"a":1,"hooks":{"createRuntime":[${hook}]}}`],
    [' { "hooks" : null } \n', ` { "hooks" : {"createRuntime":[${hook}]} } \n`],
    ['{"hooks":{}}', `{"hooks":{"createRuntime":[${hook}]}}`],
    ['{"hooks":{"poststop":[]}}', `{"hooks":{"poststop":[],"createRuntime":[${hook}]}}`],
    ['{"hooks":{"createRuntime":null}}', `{"hooks":{"createRuntime":[${hook}]}}`],
    ['{"hooks":{"createRuntime":[ ]}}', `{"hooks":{"createRuntime":[ ${hook}]}}`],
    [
      '{"hooks":{"createRuntime":[{"path":"/x"}]}}',
      `{"hooks":{"createRuntime":[{"path":"/x"},${hook}]}}`,
    ],
    ['{"h\\u006foks":{}}', `{"h\\u006foks":{"createRuntime":[${hook}]}}`],
    ['{"hooks":1,"hooks":{}}', `{"hooks":1,"hooks":{"createRuntime":[${hook}]}}`],
    [
      '{"process":{"rlimits":[{"hard":18446744073709551615}]},"x":-9223372036854775808,"y":1e400}',
      `{"process":{"rlimits":[{"hard":18446744073709551615}]},"x":-9223372036854775808,"y":1e400,"hooks":{"createRuntime":[${hook}]}}`,
    ],
    [
      '{"é\\ud83d\\ude00":"\\u0000 }","[":[["]"]]}',
      `{"é\\ud83d\\ude00":"\\u0000 }","[":[["]"]],"hooks":{"createRuntime":[${hook}]}}`,
    ],
  ];
  for (const [before, after] of texts) {
    test(`is changed nowhere else: ${before}`, async () => {
      const text = await edited(before);
      const inserted = /\{"path":"[^"]*","args":\[[^\]]*\],"timeout":30\}/;
      expect(text.replace(inserted, hook)).toBe(after);
    });
  }

  test('keeps the meaning of any JSON object', async () => {
    const objects = fc.sample(fc.dictionary(fc.string(), fc.jsonValue()), 200);
    const texts = objects.map(({ hooks: _, ...others }) => JSON.stringify(others, undefined, 2));
    for (const [index, { text }] of (await editAll(texts)).entries()) {
      const { hooks, ...rest } = JSON.parse(text) as Record<string, unknown>;
      expect(rest).toEqual(JSON.parse(texts[index] ?? ''));
      expect(hooks).toHaveProperty('createRuntime');
    }
  });

  testAsRoot('keeps its mode and owner, and leaves nothing beside it', async () => {
    await writeFile(config, '{}');
    await chmod(config, 0o640);
    await chown(config, 12, 34);
    await call('create', 'id');
    const { mode, uid, gid } = await stat(config);
    expect([mode & 0o7777, uid, gid]).toEqual([0o640, 12, 34]);
    expect(await readdir(dir.at('bundle'))).toEqual(['config.json']);
  });
});

describe('a config.json that is no use', () => {
  const good =
    '{"hooks":{"createRuntime":[{"path":"/x","args":["a\\n"],"n":-1.5e3}],"b":[true,null]}}';
  const wrong = [
    ...Array.from({ length: good.length }, (_, length) => good.slice(0, length)),
    ...['[]', '"{}"', '1', 'null', '{}{}', '{"a":}', '{"a" 1}', '{,}', '{"a":1,}', '{a:1}'],
    ...['{"a":01}', '{"a":1.}', '{"a":+1}', '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\t"}'],
    ...['{"a":tru}', '{"hooks":[]}', '{"hooks":"x"}', '{"hooks":{"createRuntime":{}}}'],
    ...[
      `{"a":${'['.repeat(100_000)}`,
      `{"a":${'['.repeat(200)}${']'.repeat(200)}}`,
      '\u0000',
      '{}\u0000',
    ],
  ];

  test('is left as it is, with a line in the log, and the runtime runs', async () => {
    const left = await editAll(wrong);
    expect(left.map(({ text }) => text)).toEqual(wrong);
    const other = left.filter(
      ({ log }) => !/^[^\n]*config.json: [^\n]*expected[^\n]*\n$/.test(log),
    );
    expect(other).toEqual([]);
  });

  test('is one that is not there', async () => {
    const log = dir.at('log');
    for (const bundle of ['/nowhere', dir.at('bundle'), '']) {
      const line = ['--log', log, '--log-format', 'json', 'create', '--bundle', bundle, 'id'];
      const { code, args } = await call(...line);
      expect([code, args]).toEqual([42, line]);
    }
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as { level: string })).toHaveLength(3);
    expect(lines[0]).toContain('cannot open /nowhere/config.json: No such file or directory');
  });

  test('is one whose hook is not installed', async () => {
    await writeFile(config, '{}');
    const { code, stderr } = await call('--lensfs-hook=/nowhere/lensfs-hook', 'create', 'id');
    expect(code).toBe(42);
    expect(stderr).toContain('lensfs-runtime: cannot run /nowhere/lensfs-hook');
    expect(await readFile(config, 'utf8')).toBe('{}');
  });
});

describe('the runtime', () => {
  async function withPath(path: string, ...args: string[]): Promise<Finished> {
    return await run(runtimeProgram, args, { env: { ...cleanEnvironment(), PATH: path } });
  }

  test('is the first of runc and crun on the PATH that is not lensfs-runtime itself', async () => {
    await mkdir(dir.at('one'));
    await mkdir(dir.at('two'));
    await copyFile(fake, dir.at('two/runc'));
    const path = [dir.at('one'), dir.at('two')].join(delimiter);
    const { symlink } = await import('node:fs/promises');
    await symlink(runtimeProgram, dir.at('one/runc'));
    const { code, stdout } = await withPath(path, 'state');
    expect([code, stdout]).toEqual([42, expect.stringContaining('arg state')]);
  });

  test('is looked for where administrators’ programs are when there is no PATH', async () => {
    const { stderr } = await withPath('', '--lensfs-runtime=lensfs-test-nowhere', 'state');
    expect(stderr).toContain('cannot find the runtime lensfs-test-nowhere');
    const { stdout } = await withPath('', `--lensfs-runtime=env`, '--version');
    expect(stdout).toContain('coreutils');
  });

  test('is missing with exit code 127', async () => {
    const { code, stderr } = await withPath(
      '',
      '--lensfs-runtime',
      `${dirname(fake)}/none`,
      'state',
    );
    expect([code, stderr]).toEqual([127, expect.stringContaining('none')]);
  });
});
