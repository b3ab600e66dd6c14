// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook` does to containerd's configuration, as `containerd config dump` tells it before and after.
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { parse } from '@decimalturn/toml-patch';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { run } from '../_support/lensfs.js';
import { built, command, testWith } from '../_support/requirements.js';
import { runHere } from '../_support/run-here.js';
import { TempDir } from '../_support/temp-dir.js';

const test = testWith(
  ...[hookProgram, runtimeProgram, 'dist/main.js', 'build/Release/addon.node'].map(built),
  command('containerd'),
);

const cri = 'plugins."io.containerd.grpc.v1.cri"';
const plugin = 'io.containerd.grpc.v1.cri';

let dir: TempDir;
let path: string;

beforeEach(async () => {
  dir = await TempDir.create();
  path = dir.at('etc/config.toml');
  await mkdir(dir.at('etc'));
});

afterEach(async () => await dir[Symbol.asyncDispose]());

const hook = (...args: string[]) => runHere(['hook', ...args, '--file', path]);

async function install(...args: string[]): Promise<string> {
  const { code, stderr } = await hook('install', 'containerd', ...args);
  expect([code, stderr]).toEqual([0, expect.stringContaining('Then: ')]);
  return await readFile(path, 'utf8');
}

async function remove(): Promise<void> {
  expect(await hook('remove', 'containerd')).toMatchObject({ code: 0 });
}

interface Runtime {
  runtime_type: string;
  base_runtime_spec?: string;
  pod_annotations?: string[];
  options: Record<string, unknown>;
}

interface InForce {
  default_runtime_name: string;
  runtimes: Record<string, Runtime>;
}

/** What containerd makes of the file and of those that it imports. */
async function dump(): Promise<InForce> {
  const { code, stdout, stderr } = await run('containerd', ['--config', path, 'config', 'dump'], {
    cwd: '/',
  });
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const config = parse(stdout) as never as {
    plugins: Record<string, { containerd: InForce } | undefined>;
  };
  const found = config.plugins['io.containerd.cri.v1.runtime'] ?? config.plugins[plugin];
  if (found === undefined) throw new Error(`No CRI plugin in ${stdout}`);
  return found.containerd;
}

const runc = { runtime_type: 'io.containerd.runc.v2' };
const nvidia = `[${cri}.containerd]
  default_runtime_name = "nvidia" # theirs
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[${cri}.containerd.runtimes.nvidia]
  runtime_type = "io.containerd.runc.v2"
  base_runtime_spec = "/etc/containerd/base.json"
  pod_annotations = ["example.com/*", "y"]
  [${cri}.containerd.runtimes.nvidia.options]
    BinaryName = "/usr/bin/nvidia-container-runtime"
    SystemdCgroup = true
`;

const configs: Record<string, string> = {
  'of Debian': `version = 2

[plugins]
  [${cri}]
    # mine
    [${cri}.cni]
      bin_dir = "/usr/lib/cni"
`,
  'that is nearly empty': 'version = 2 # two\n',
  'of version 1': `oom_score = 3
[plugins.cri.containerd]
  snapshotter = "native" # kept
`,
  'with runtimes of its own': `version = 2
[${cri}.containerd] # section
  snapshotter = "native"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [${cri}.containerd.runtimes.runc.options]
    SystemdCgroup = true # systemd
[${cri}.containerd.runtimes.kata]
  runtime_type = "io.containerd.kata.v2"
`,
  'with another default runtime': `version = 2\n${nvidia}`,
};

function expectComments(text: string, original: string): void {
  for (const comment of original.match(/#.*/g) ?? []) expect(text).toContain(comment);
}

describe('lensfs hook containerd', () => {
  for (const [name, text] of Object.entries(configs)) {
    for (const flags of [[], ['--default']]) {
      test(`adds a runtime to a file ${name} ${flags.join('')}, loses none, and takes it out again`, async () => {
        await writeFile(path, text, { mode: 0o640 });
        const before = await dump();
        const installed = await install(...flags);
        const { lensfs, ...others } = (await dump()).runtimes;
        expect(Object.keys(others)).toEqual(Object.keys(before.runtimes));
        for (const each of Object.keys(others)) {
          expect(others[each]?.runtime_type).toBe(before.runtimes[each]?.runtime_type);
        }
        expect(lensfs).toMatchObject(runc);
        const isDefault = flags.length > 0;
        expect((await dump()).default_runtime_name).toBe(
          isDefault ? 'lensfs' : before.default_runtime_name,
        );
        expectComments(installed.replace('"lensfs" # theirs', '# theirs'), text);
        expect(await install(...flags)).toBe(installed);
        await remove();
        expect(await readFile(path, 'utf8')).toBe(text);
        expect(await readdir(dir.at('etc'))).toEqual(['config.toml']);
        expect(await dump()).toEqual(before);
      });
    }
  }

  test('makes a file, and removes what it made', async () => {
    expect(await install()).toContain(`BinaryName = "${runtimeProgram}"`);
    expect(Object.keys((await dump()).runtimes)).toEqual(['lensfs', 'runc']);
    await remove();
    expect(await readdir(dir.at('etc'))).toEqual([]);
  });

  test('has the whole section of the default runtime, whose program it stands in front of', async () => {
    await writeFile(path, `version = 2\n${nvidia}`);
    for (const flags of [[], ['--default']]) {
      await install(...flags);
      const { runtimes } = await dump();
      const program = dir.at('etc/lensfs/nvidia/lensfs-runtime');
      expect(runtimes['lensfs']).toEqual({
        ...runtimes['nvidia'],
        options: { ...runtimes['nvidia']?.options, BinaryName: program },
      });
      expect((await stat(program)).mode & 0o777).toBe(0o755);
      const line = `exec ${runtimeProgram} --lensfs-runtime=/usr/bin/nvidia-container-runtime "$@"\n`;
      expect(await readFile(program, 'utf8')).toContain(line);
    }
  });

  test('knows the default runtime of before without its backup', async () => {
    await writeFile(path, `version = 2\n${nvidia}`);
    const installed = await install('--default');
    await run('rm', [`${path}.before-lensfs`]);
    expect(await install('--default')).toBe(installed);
    await remove();
    expect((await dump()).default_runtime_name).toBe('nvidia');
  });

  test('passes options by a program of its own', async () => {
    await writeFile(path, 'version = 2\n');
    await install('--files', 'cpu', '--tree', "/t's", '--run-dir', '/r');
    const { options } = (await dump()).runtimes['lensfs'] as Runtime;
    const text = await readFile(String(options['BinaryName']), 'utf8');
    expect(text).toContain(
      String.raw`'--lensfs-tree=/t'\''s' --lensfs-run-dir=/r --lensfs-files=cpu "$@"`,
    );
  });

  test('edits the imported file whose settings of the plugin are in force', async () => {
    await mkdir(dir.at('etc/conf.d'));
    const imported = dir.at('etc/conf.d/registry.toml');
    const main = `version = 2\nimports = ["${dir.at('etc/conf.d')}/*.toml"]\n`;
    const registry = `version = 2\n[${cri}.registry]\n  config_path = "/etc/containerd/certs.d"\n`;
    await writeFile(path, main);
    await writeFile(imported, registry);
    const before = await dump();
    expect((await hook('install', 'containerd', '--default')).stdout).toContain(imported);
    expect(await readFile(path, 'utf8')).toBe(main);
    expect(await dump()).toMatchObject({ default_runtime_name: 'lensfs', runtimes: { runc } });
    await remove();
    expect(await readFile(imported, 'utf8')).toBe(registry);
    expect(await dump()).toEqual(before);
    expect(await readdir(dir.at('etc/conf.d'))).toEqual(['registry.toml']);
  });

  test('moves from a file whose settings an import has come to hide', async () => {
    await mkdir(dir.at('etc/conf.d'));
    await writeFile(path, `version = 2\nimports = ["${dir.at('etc/conf.d')}/*.toml"]\n`);
    await install();
    const imported = dir.at('etc/conf.d/registry.toml');
    await writeFile(imported, `version = 2\n[${cri}.registry]\n  config_path = "/x"\n`);
    expect((await hook('install', 'containerd')).code).toBe(0);
    expect(await readFile(path, 'utf8')).not.toContain('runtimes.lensfs');
    expect((await dump()).runtimes).toMatchObject({ lensfs: runc, runc });
  });

  const unusable: Record<string, [text: string, flags: string[], message: string]> = {
    'a default runtime that runs no program': [
      `version = 2\n[${cri}.containerd]\n  default_runtime_name = "kata"\n[${cri}.containerd.runtimes.kata]\n  runtime_type = "io.containerd.kata.v2"\n`,
      ['--default'],
      'the default runtime "kata" is of type "io.containerd.kata.v2"',
    ],
    'a default runtime in the way of before': [
      `version = 2\n[${cri}.containerd.default_runtime]\n  runtime_type = "io.containerd.runc.v2"\n`,
      ['--default'],
      'containerd.default_runtime (type "io.containerd.runc.v2")',
    ],
    'an unknown version': ['version = 4\n', [], 'Expected version 1, 2 or 3, got 4'],
    'text that is no TOML': ['version = \n', [], 'containerd cannot read it: '],
    'an import that is not there': [
      'version = 2\nimports = ["/nowhere.toml"]\n',
      [],
      '/nowhere.toml',
    ],
  };
  for (const [name, [text, flags, message]] of Object.entries(unusable)) {
    test(`refuses ${name}, and names it`, async () => {
      await writeFile(path, text);
      const { code, stderr } = await hook('install', 'containerd', ...flags);
      expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
      expect(await readFile(path, 'utf8')).toBe(text);
      expect(await readdir(dir.at('etc'))).toEqual(['config.toml']);
    });
  }

  test('tells that pods are not made where the CRI plugin is off', async () => {
    await writeFile(path, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const { stderr } = await hook('install', 'containerd');
    expect(stderr).toContain('Warning: disabled_plugins has the CRI plugin');
  });
});
