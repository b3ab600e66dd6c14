// SPDX-License-Identifier: Apache-2.0
// What `lensfs hook install` writes, read by the container engines themselves: Docker, Podman, containerd.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { podmanHook } from '../../src/containers/hook-files.js';
import { copyBusybox } from '../_support/container-root.js';
import { docker, dockerEngine, endpoint } from '../_support/docker.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { lensfs, run } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
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
const limits = ['--memory', '128m', '--network', 'none'];
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
      await hook('remove', 'docker', endpoint().configFile);
      await writeFile(endpoint().configFile, '{"default-runtime":"runc"}'); // an absent key changes nothing
      await reload('{{.DefaultRuntime}}', /^runc$/);
      expect((await runHere()).mounts).toBe(0);
    },
  );
});

describe('Podman', () => {
  /** Runs a container; the directories that Podman looks into by itself are ours. */
  async function podman(...flags: string[]): Promise<string> {
    const storage = ['root', 'run', 'tmp'].map((name) => dir.at('podman', name));
    const [root = '', runRoot = '', tmp = ''] = storage;
    const own = ['--root', root, '--runroot', runRoot, '--tmpdir', tmp, '--storage-driver', 'vfs'];
    const runtime = ['--cgroup-manager', 'cgroupfs', '--runtime', 'runc'];
    const ulimits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];
    const options = [...ulimits, '--security-opt', 'seccomp=unconfined', ...limits];
    const argv = ['podman', ...own, ...runtime, 'run', '--rm', ...options, ...flags];
    const tail = ['--rootfs', dir.at('root'), ...print(['/bin/sh'], 'cat')];
    const enter = `mount -t tmpfs tmpfs /etc/containers &&
      mount -t tmpfs tmpfs /usr/share/containers && mkdir -p /etc/cdi "$3" &&
      mount --bind "$1" /etc/cdi && mount --bind "$2" "$3" && shift 3 && exec "$@"`;
    const ours = [dir.at('cdi'), dir.at('hooks.d'), dirname(podmanHook.path)];
    const { code, stdout, stderr } = await run('unshare', [
      ...['--mount', 'sh', '-c', enter, 'sh', ...ours, ...argv, ...tail],
    ]);
    if (code !== 0) throw new Error(`podman ended with ${code}: ${stderr}`);
    return stdout;
  }

  testPodman(
    'gives a view by a hook, to those that ask or to all, and by a CDI device',
    async () => {
      for (const name of ['hooks.d', 'cdi']) await mkdir(dir.at(name));
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
