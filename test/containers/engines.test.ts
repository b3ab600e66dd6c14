// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook install` writes, read by the container engines themselves: Docker, Podman, containerd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { copyBusybox } from '../_support/container-root.js';
import { docker, dockerEngine, endpoint } from '../_support/docker.js';
import { PrivateDocker } from '../_support/dockerd.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { lensfs, run } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { Podman } from '../_support/podman.js';
import { built, command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';

const requirements = [...mountRequirements, built(hookProgram), built(runtimeProgram)];
const testDocker = testWith(...requirements, dockerEngine);
const testPodman = testWith(...requirements, command('podman'), command('runc'));
const testContainerd = testWith(...requirements, command('containerd'), command('ctr'));

const getDaemon = useDaemon();
let dir: TempDir;

beforeAll(async () => {
  dir = await TempDir.create();
  copyBusybox(dir.at('root'));
});

afterAll(async () => await dir[Symbol.asyncDispose]());

const busybox = '/busybox';
const memory = ['--memory', '128m'];
const limits = [...memory, '--network', 'none'];
const all = { memTotalMib: 128, mounts: 16 };

async function hook(action: string, name: string, file: string, ...more: string[]): Promise<void> {
  const { tree, runDir } = getDaemon();
  const places = action === 'install' ? ['--tree', tree, '--run-dir', runDir] : [];
  const args = ['hook', action, name, '--file', file, ...places, ...more];
  const { code, stderr } = await lensfs(args);
  expect([code, stderr]).toEqual([0, expect.stringContaining(file)]);
}

/** A command that prints what `parse` reads. */
function print(shell: readonly string[], cat: string): string[] {
  return [...shell, '-c', `${cat} /proc/meminfo /proc/self/mountinfo`];
}

function parse(text: string) {
  return {
    memTotalMib: Number(/^MemTotal: +(\d+) kB$/m.exec(text)?.[1]) / 1024,
    mounts: text.split('\n').filter((line) => line.includes(' - fuse.lensfs ')).length,
  };
}

describe('Docker', () => {
  async function reload(field: string, expected: RegExp): Promise<void> {
    process.kill(endpoint().pid, 'SIGHUP');
    await waitUntil(`Docker has read ${endpoint().configFile}`, async () => {
      return expected.test(await docker('info', '--format', field));
    });
  }

  const inside = print([busybox, 'sh'], `${busybox} cat`);

  testDocker(
    'gives a view by --runtime, which stays through exec, update and restart',
    async () => {
      await hook('install', 'docker', endpoint().configFile);
      await reload('{{json .Runtimes}}', /"lensfs"/);
      const name = dir.path.split('/').at(-1) ?? '';
      const idle = [busybox, 'sleep', '1000000'];
      const flags = ['--detach', '--name', name, '--stop-signal', 'KILL', '--read-only', ...limits];
      await docker('run', '--runtime', 'lensfs', ...flags, endpoint().image, ...idle);
      try {
        expect(parse(await docker('exec', name, ...inside))).toEqual(all);
        await docker('update', '--memory', '96m', '--memory-swap', '400m', name);
        await expect
          .poll(async () => parse(await docker('exec', name, ...inside)))
          .toEqual({ ...all, memTotalMib: 96 });
        await docker('restart', name);
        expect(parse(await docker('exec', name, ...inside))).toEqual({ ...all, memTotalMib: 96 });
      } finally {
        await docker('rm', '--force', name);
      }
    },
  );

  testDocker(
    'gives it to every container by the default runtime, until it is removed',
    async () => {
      const runHere = async () => {
        return parse(await docker('run', '--rm', ...limits, endpoint().image, ...inside));
      };
      await hook('install', 'docker', endpoint().configFile, '--default');
      await reload('{{.DefaultRuntime}}', /^lensfs$/);
      expect(await runHere()).toEqual(all);
      const name = `${dir.path.split('/').at(-1)}-kept`;
      const idle = [busybox, 'sleep', '1000000'];
      const flags = ['--detach', '--name', name, '--stop-signal', 'KILL', ...limits];
      await docker('run', ...flags, endpoint().image, ...idle);
      try {
        const { configFile } = endpoint();
        const first = await lensfs(['hook', 'remove', 'docker', '--file', configFile]);
        expect(first.stderr).toContain(`Warning: ${name} names the runtime "lensfs"`);
        await reload('{{.DefaultRuntime}}', /^runc$/);
        expect((await runHere()).mounts).toBe(0);
        await docker('restart', name);
        expect(parse(await docker('exec', name, ...inside)).mounts).toBe(0);
      } finally {
        await docker('rm', '--force', name);
      }
      await hook('remove', 'docker', endpoint().configFile);
      expect(await readFile(endpoint().configFile, 'utf8')).not.toContain('lensfs');
    },
  );

  testDocker('refuses what dockerd says on its command line already', async () => {
    const flags = ['--default-runtime', 'runc'];
    await using other = await PrivateDocker.start({ flags });
    const file = other.endpoint.configFile;
    const { code, stderr } = await lensfs([
      'hook',
      'install',
      'docker',
      '--default',
      '--file',
      file,
    ]);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('dockerd runs with --default-runtime=runc'),
    ]);
    expect(await readFile(file, 'utf8')).toBe('{}');
    await hook('install', 'docker', file);
  });
});

describe('Podman', () => {
  testPodman(
    'gives a view by a hook, to those that ask or to all, and by a CDI device',
    async () => {
      const engine = await Podman.create(dir, dir.at('root'));
      const podman = async (...flags: string[]) => {
        return await engine.output([...memory, ...flags], print(['/bin/sh'], 'cat'));
      };
      const file = dir.at('hooks.d/50-lensfs.json');
      await hook('install', 'podman', file);
      expect(parse(await podman()).mounts).toBe(0);
      expect(parse(await podman('--annotation', 'lensfs.io/view=all'))).toEqual(all);
      await hook('install', 'podman', file, '--default');
      expect(parse(await podman())).toEqual(all);
      expect(parse(await podman('--env', 'LENSFS=off')).mounts).toBe(0);
      await hook('remove', 'podman', file);
      await hook('install', 'cdi', dir.at('cdi/lensfs.json'));
      expect(parse(await podman('--device', 'lensfs.io/view=memory'))).toEqual({
        ...all,
        mounts: 5,
      });
      expect(parse(await podman('--device', 'lensfs.io/view=all'))).toEqual(all);
    },
    180_000,
  );
});

describe('containerd', () => {
  testContainerd('runs lensfs-runtime, and reads the configuration with it', async () => {
    const file = dir.at('config.toml');
    const text = `version = 2
root = "${dir.at('containerd')}"
state = "${dir.at('containerd-state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${dir.at('containerd.sock')}"
`;
    await writeFile(file, text);
    const edited = dir.at('edited.toml');
    await lensfs(['hook', 'install', 'containerd', '--file', edited]);
    const { stdout: dump } = await run('containerd', ['--config', edited, 'config', 'dump']);
    expect(dump).toContain(`BinaryName = "${runtimeProgram}"`);

    const wrapper = dir.at('runtime');
    const { tree, runDir } = getDaemon();
    const places = `--lensfs-tree=${tree} --lensfs-run-dir=${runDir}`;
    await writeFile(wrapper, `#!/bin/sh\nexec ${runtimeProgram} ${places} "$@"\n`, { mode: 0o755 });
    const argv = ['--pdeathsig', 'TERM', 'containerd', '--config', file];
    const child = spawn('setpriv', argv, { stdio: 'ignore' });
    const ctr = ['--address', dir.at('containerd.sock')];
    try {
      await waitUntil(
        'containerd answers',
        async () => (await run('ctr', [...ctr, 'version'])).code === 0,
      );
      const limited = ['--memory-limit', String(128 * 2 ** 20), '--runc-binary', wrapper];
      const { stdout } = await run('ctr', [
        ...[...ctr, 'run', '--rm', ...limited, '--rootfs', dir.at('root')],
        ...[dir.path.split('/').at(-1) ?? '', ...print(['/bin/sh'], 'cat')],
      ]);
      expect(parse(stdout)).toEqual(all);
    } finally {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  });
});
