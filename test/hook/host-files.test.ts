// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook` does to the configuration files of container engines.

import { mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { program, run } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { runHere } from '../_support/run-here.js';
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

const hook = (...args: string[]) => runHere(['hook', ...args, '--file', path]);

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

  test('goes on with the default runtime that was there, its arguments included, and brings it back', async () => {
    const nvidia = { path: '/usr/bin/nvidia', runtimeArgs: ['--debug', 'x'] };
    const before = { 'default-runtime': 'nvidia', runtimes: { nvidia } };
    const text = JSON.stringify(before);
    await writeFile(path, text);
    const chained = ['--lensfs-runtime=/usr/bin/nvidia', '--debug', 'x'];
    expect(JSON.parse(await install('docker')).runtimes.lensfs.runtimeArgs).toEqual(chained);
    const installed = await install('docker', '--default');
    const { runtimes, ...rest } = JSON.parse(installed);
    expect(rest).toEqual({ 'default-runtime': 'lensfs' });
    expect(runtimes).toEqual({ nvidia, lensfs: { path: runtimeProgram, runtimeArgs: chained } });
    await rm(`${path}.before-lensfs`);
    expect(await install('docker', '--default')).toBe(installed);
    await hook('remove', 'docker');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(before);
  });

  test('leaves the very text that was there', async () => {
    const text = '{"a":{},\n   "b" : [1,\n2]}';
    await writeFile(path, text);
    await install('docker', '--default');
    await hook('remove', 'docker');
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('refuses to stand in front of a default runtime that is no runc', async () => {
    const defaults: [object, string][] = [
      [{ 'default-runtime': 'io.containerd.runsc.v1' }, 'is the shim io.containerd.runsc.v1'],
      [
        { 'default-runtime': 'k', runtimes: { k: { runtimeType: 'io.containerd.kata.v2' } } },
        'is the shim io.containerd.kata.v2',
      ],
      [{ 'default-runtime': 'k', runtimes: { k: { path: '/opt/kata-runtime' } } }, 'kata-runtime'],
      [
        {
          'default-runtime': 'k',
          runtimes: {
            k: { runtimeType: 'io.containerd.runc.v2', options: { SystemdCgroup: true } },
          },
        },
        'has the options SystemdCgroup',
      ],
    ];
    for (const [config, message] of defaults) {
      await writeFile(path, JSON.stringify(config));
      const { code, stderr } = await hook('install', 'docker', '--default');
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
      expect(await readFile(path, 'utf8')).toBe(JSON.stringify(config));
      expect(JSON.parse(await install('docker')).runtimes.lensfs.runtimeArgs).toEqual([]);
      await rm(`${path}.before-lensfs`);
    }
  });

  test('edits the file that a symbolic link leads to', async () => {
    await writeFile(dir.at('managed.json'), '{}');
    await symlink('../managed.json', path);
    expect(await install('docker')).toBe(await readFile(dir.at('managed.json'), 'utf8'));
    await hook('remove', 'docker');
    expect(await readlink(path)).toBe('../managed.json');
    expect(await readFile(dir.at('managed.json'), 'utf8')).toBe('{}');
  });

  test('leaves a runtime without a view while containers name ours, and takes it out after them', async () => {
    const text = JSON.stringify({ 'data-root': dir.at('data') });
    await writeFile(path, text);
    await install('docker', '--default');
    const container = dir.at('data/100000.100000/containers/0a');
    await mkdir(container, { recursive: true });
    await writeFile(`${container}/hostconfig.json`, '{"Runtime":"lensfs"}');
    await writeFile(`${container}/config.v2.json`, '{"Name":"/web"}');
    for (let times = 0; times < 2; times += 1) {
      await hook('remove', 'docker');
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
        'data-root': dir.at('data'),
        'default-runtime': 'runc',
        runtimes: { lensfs: { path: 'runc' } },
      });
    }
    await rm(container, { recursive: true });
    await hook('remove', 'docker');
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(await readdir(dir.at('etc'))).toEqual(['file']);
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
  for (const [name, way] of [
    ['podman', 'hooks_dir'],
    ['crio', 'hooks_dir'],
    ['lxc', 'lxc.include'],
  ] as const) {
    test(`names another way for ${name} where the directory is read-only`, async () => {
      const script = `mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"
        exec "$2" hook install ${name} --file "$1/file"`;
      const argv = ['--mount', '--map-root-user', 'sh', '-c', script, 'sh', dir.at('etc'), program];
      const { code, stderr } = await run('unshare', argv);
      expect([code, stderr]).toEqual([1, expect.stringMatching(`EROFS.*--file .*${way}`)]);
    });
  }

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
