// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook` does to the configuration files of container engines.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { runProgram } from '../../src/cli/program.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(
  ...[hookProgram, runtimeProgram, 'dist/main.js', 'build/Release/addon.node'].map(built),
);

let dir: TempDir;
let path: string;

beforeEach(async () => {
  dir = await TempDir.create();
  path = dir.at('etc/file');
  await mkdir(dir.at('etc'));
});

afterEach(async () => await dir[Symbol.asyncDispose]());

/** In this process: starting Node.js takes longer than all a command does. */
async function hook(...args: string[]) {
  const texts = { stdout: '', stderr: '' };
  const collect = (name: keyof typeof texts) => {
    return new Writable({
      write: (chunk, _, done) => {
        texts[name] += String(chunk);
        done();
      },
    });
  };
  const io = { stdout: collect('stdout'), stderr: collect('stderr') };
  const code = await runProgram(['hook', ...args, '--file', path], io);
  return { code, ...texts };
}

async function install(...args: string[]): Promise<string> {
  const { code, stderr } = await hook('install', ...args);
  expect([code, stderr]).toEqual([0, expect.stringContaining('Then: ')]);
  return await readFile(path, 'utf8');
}

describe('lensfs hook docker', () => {
  const runtime = { path: runtimeProgram, runtimeArgs: [] };

  test('makes daemon.json, and removes what it made', async () => {
    expect(JSON.parse(await install('docker'))).toEqual({ runtimes: { lensfs: runtime } });
    expect((await hook('remove', 'docker')).code).toBe(0);
    expect(await readdir(dir.at('etc'))).toEqual([]);
  });

  test('keeps everything else, prints the diff, backs up, and is idempotent', async () => {
    const text =
      '{\n\t"max-concurrent-downloads": 18446744073709551615,\n\t"x": {"default-runtime": 1}\n}\n';
    await writeFile(path, text, { mode: 0o640 });
    const { stdout } = await hook('install', 'docker', '--default', '--dry-run');
    expect(stdout).toContain('+\t"default-runtime": "lensfs"');
    expect(await readFile(path, 'utf8')).toBe(text);
    const installed = await install('docker', '--default');
    expect(installed).toContain('\t"max-concurrent-downloads": 18446744073709551615,\n');
    expect(JSON.parse(installed)).toMatchObject({
      'default-runtime': 'lensfs',
      x: { 'default-runtime': 1 },
    });
    expect(await readFile(`${path}.before-lensfs`, 'utf8')).toBe(text);
    expect(await install('docker', '--default')).toBe(installed);
    expect((await hook('remove', 'docker')).code).toBe(0);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(JSON.parse(text));
    expect(await readdir(dir.at('etc'))).toEqual(['file']);
  });

  test('goes on with the default runtime that was there, and brings it back', async () => {
    const before = {
      'default-runtime': 'nvidia',
      runtimes: { nvidia: { path: '/usr/bin/nvidia' } },
    };
    await writeFile(path, JSON.stringify(before, undefined, 2));
    const { runtimes, ...rest } = JSON.parse(await install('docker', '--default'));
    expect(rest).toEqual({ 'default-runtime': 'lensfs' });
    expect(runtimes.lensfs.runtimeArgs).toEqual(['--lensfs-runtime=/usr/bin/nvidia']);
    await hook('remove', 'docker');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(before);
  });

  test('passes options on', async () => {
    const text = await install('docker', '--files', 'cpu', '--tree', '/t', '--run-dir', '/r');
    expect(JSON.parse(text).runtimes.lensfs.runtimeArgs).toEqual([
      ...['--lensfs-tree=/t', '--lensfs-run-dir=/r', '--lensfs-files=cpu'],
    ]);
  });

  for (const text of ['{', '[]', '{"a":1,}', '// x\n{}', '"x"']) {
    test(`refuses ${JSON.stringify(text)} and leaves it`, async () => {
      await writeFile(path, text);
      const { code, stderr } = await hook('install', 'docker');
      expect([code, stderr]).toEqual([1, expect.stringContaining(path)]);
      expect(await readFile(path, 'utf8')).toBe(text);
      expect(await readdir(dir.at('etc'))).toEqual(['file']);
    });
  }
});

describe('lensfs hook cdi, podman, crio', () => {
  test('write a specification of three devices', async () => {
    const cdi = JSON.parse(await install('cdi')) as { devices: { name: string }[] };
    expect(cdi).toMatchObject({ cdiVersion: '0.3.0', kind: 'lensfs.io/view' });
    expect(cdi.devices.map(({ name }) => name)).toEqual(['all', 'cpu', 'memory']);
  });

  for (const [name, other] of [
    ['podman', 'CRI-O'],
    ['crio', 'Podman'],
  ] as const) {
    test(`say for ${name} that ${other} reads the same file`, async () => {
      const told = `${other} reads the same file: for its containers it is the same change\n`;
      expect((await hook('install', name)).stderr).toContain(told);
      expect((await hook('install', name)).stderr).not.toContain(other);
      const json = JSON.parse((await hook('remove', name, '--dry-run', '--json')).stdout);
      expect(json).toMatchObject({ sharedWith: other });
      expect((await hook('remove', name)).stderr).toContain(told);
    });

    test(`write a hook for ${name}, and take it away`, async () => {
      const asked = { annotations: { '^lensfs\\.io/view$': '.+' } };
      expect(JSON.parse(await install(name))).toMatchObject({
        when: asked,
        stages: ['createRuntime'],
      });
      expect(JSON.parse(await install(name, '--default'))).toMatchObject({
        when: { always: true },
      });
      await hook('remove', name);
      expect(await readdir(dir.at('etc'))).toEqual([]);
    });
  }
});

describe('lensfs hook', () => {
  const wrong: [string[], string][] = [
    [['put', 'docker'], 'expected install or remove, got "put"'],
    [['install', 'rkt'], 'expected one of docker, podman, containerd, crio, cdi, lxc, got "rkt"'],
    [
      ['install', 'docker', '--bin-dir', '/nowhere'],
      'expected a directory with lensfs-hook, got "/nowhere"',
    ],
    [['install', 'docker', '--tree', 't'], 'expected an absolute path, got "t"'],
  ];
  for (const [args, message] of wrong) {
    test(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await hook(...args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
      expect(await readdir(dir.at('etc'))).toEqual([]);
    });
  }

  test('refuses a word that stands for no file', async () => {
    const { code, stderr } = await hook('install', 'cdi', '--files', 'cpu,ram');
    expect([code, stderr]).toEqual([1, expect.stringContaining('ram')]);
  });
});
