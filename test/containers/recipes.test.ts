// SPDX-License-Identifier: Apache-2.0
// Each text of `lensfs mounts`, given to the program that it is for.
import { mkdir, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { parse } from 'yaml';
import { copyBusybox, rootBinds } from '../_support/container-root.js';
import { docker, dockerEngine, endpoint } from '../_support/docker.js';
import { dockerClient } from '../_support/dockerd.js';
import { validate } from '../_support/kubernetes-schemas.js';
import { lensfs, run } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { runInNspawn, runService } from '../_support/nspawn.js';
import { Podman } from '../_support/podman.js';
import { command, testWith } from '../_support/requirements.js';
import { allFiles, parseSeen, printSeen, type Seen } from '../_support/seen.js';
import { TempDir } from '../_support/temp-dir.js';

const testDocker = testWith(...mountRequirements, dockerEngine);
const testPodman = testWith(...mountRequirements, command('podman'), command('runc'));
const testNspawn = testWith(...mountRequirements, command('systemd-nspawn'));
const testSystemd = testWith(...mountRequirements, command('systemd-analyze'));

const getDaemon = useDaemon();
let dir: TempDir;

beforeAll(async () => {
  dir = await TempDir.create();
  copyBusybox(dir.at('root'));
});

afterAll(async () => await dir[Symbol.asyncDispose]());

/** What `lensfs mounts` prints. */
async function recipe(name: string, ...options: string[]): Promise<string> {
  const args = ['mounts', name, '--tree', getDaemon().tree, ...options];
  const { code, stdout, stderr } = await lensfs(args);
  if (code !== 0) throw new Error(`lensfs mounts ${name} ended with ${code}: ${stderr}`);
  return stdout;
}

const isBelowCpus = (path: string) => path.startsWith('/sys/devices/system/cpu/');
const withoutHook = allFiles.filter((path) => !isBelowCpus(path));
const refusedByRunc = /pressure|vmstat/;
const allowedByRunc = withoutHook.filter((path) => !refusedByRunc.test(path));

const limits = { memoryBytes: 128 * 2 ** 20, cpus: 1 };
const limitFlags = ['--memory', '128m', '--cpus', '1'];

function expectOwn(seen: Seen, mounts: readonly string[]): void {
  expect(seen).toMatchObject({ memTotalMib: 128, processors: 1, mounts });
  expect(seen.online).toMatch(/^\d+$/);
  expect(seen.uptimeSec).toBeLessThan(60);
  expect(seen.pressure).toMatch(/^some avg10=/);
  for (const options of seen.options) expect(options).toMatch(/^ro,/);
}

describe('lensfs mounts docker', () => {
  testDocker('prints flags of "docker run"', async () => {
    const own = rootBinds().map(({ from, to }) => `--volume=${from}:${to}:ro`);
    const flags = await recipe('docker');
    const argv = ['--host', `unix://${endpoint().socket}`, 'run', '--rm', ...limitFlags, ...own];
    const [image, ...rest] = [endpoint().image, ...printSeen];
    const shell = `client=$1; shift; exec "$client" "$@" --network none ${flags.trimEnd()} ${image} /bin/sh -c "$PRINT"`;
    const { code, stdout, stderr } = await run('sh', ['-c', shell, 'sh', dockerClient, ...argv], {
      env: { PRINT: rest.at(-1), PATH: process.env['PATH'] },
    });
    expect([code, stderr]).toEqual([0, '']);
    expectOwn(parseSeen(stdout), allowedByRunc);
  });
});

/** Of Compose and Kubernetes, as Docker is asked for it. */
async function seenByDocker(mounts: readonly { source: string; target: string }[]): Promise<Seen> {
  const flags = mounts.map(({ source, target }) => {
    return `--mount=type=bind,source=${source},target=${target},readonly,bind-propagation=rslave`;
  });
  const own = rootBinds().map(({ from, to }) => `--volume=${from}:${to}:ro`);
  const all = ['--rm', '--network', 'none', ...limitFlags, ...own, ...flags];
  return parseSeen(await docker('run', ...all, endpoint().image, ...printSeen));
}

describe('lensfs mounts compose', () => {
  testDocker('prints a file that adds volumes to a service', async () => {
    const { services } = parse(await recipe('compose'));
    const { volumes } = services.NAME;
    expect(Object.keys(services.NAME)).toEqual(['volumes']);
    for (const volume of volumes) {
      expect(volume).toEqual({
        type: 'bind',
        source: expect.stringMatching(/^\/.*\/(proc|sys)\//),
        target: expect.stringMatching(/^\/(proc|sys)\//),
        read_only: true,
        bind: { propagation: 'rslave', create_host_path: false },
      });
    }
    expectOwn(await seenByDocker(volumes), allowedByRunc);
  });
});

interface PodVolumes {
  containers: { volumeMounts: { name: string; mountPath: string; mountPropagation: string }[] }[];
  volumes: { name: string; hostPath: { path: string } }[];
}

describe('lensfs mounts kubernetes', () => {
  testDocker("prints a part of a pod's specification", async () => {
    const { spec } = parse(await recipe('kubernetes')) as { spec: PodVolumes };
    const [container] = spec.containers;
    const pod = { ...spec, containers: [{ ...container, name: 'web', image: 'web' }] };
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: pod };
    expect(await validate(object)).toEqual([]);
    const mounts = container?.volumeMounts.map(({ name, mountPath, mountPropagation }) => {
      expect(mountPropagation).toBe('HostToContainer');
      const volume = spec.volumes.find((each) => each.name === name);
      return { source: volume?.hostPath.path ?? '', target: mountPath };
    });
    expectOwn(await seenByDocker(mounts ?? []), allowedByRunc);
  });
});

describe('lensfs mounts podman, and containers.conf', () => {
  testPodman(
    'print flags of "podman run", and a file for all containers of Podman',
    async () => {
      const podman = await Podman.create(dir, dir.at('root'));
      const flags = (await recipe('podman')).split(/[\s\\]+/).filter(Boolean);
      const seenWith = async (...more: string[]) => {
        return parseSeen(await podman.output([...limitFlags, ...more], printSeen));
      };
      expectOwn(await seenWith(...flags), allowedByRunc);
      await writeFile(dir.at('containers.conf.d/lensfs.conf'), await recipe('containers.conf'));
      expectOwn(await seenWith(), allowedByRunc);
    },
    120_000,
  );
});

describe('lensfs mounts nspawn', () => {
  testNspawn('prints the settings of a container', async () => {
    const text = await runInNspawn(await recipe('nspawn'), limits, printSeen);
    const seen = parseSeen(text);
    // What is bound into /proc is there a second time.
    const mounts = seen.mounts.filter((path) => !path.startsWith('/run/'));
    expectOwn({ ...seen, mounts }, withoutHook);
  });

  testNspawn('prints them for some files, also in a user namespace', async () => {
    const settings = `${await recipe('nspawn', '--files', 'memory')}[Exec]\nPrivateUsers=yes\n`;
    const { mounts, memTotalMib } = parseSeen(await runInNspawn(settings, limits, printSeen));
    expect(mounts.filter((path) => path.startsWith('/proc/'))).toEqual(
      allFiles.filter((path) => /meminfo|pressure\/memory|slabinfo|swaps|vmstat/.test(path)),
    );
    expect(memTotalMib).toBe(128);
  });
});

describe('lensfs mounts systemd', () => {
  testNspawn('prints a drop-in that gives a service its view', async () => {
    const dropIn = await recipe('systemd');
    const script = printSeen.at(-1)?.replaceAll('"', '') ?? '';
    const text = await runService(
      { command: `/bin/sh -c "${script}"`, dropIn, binds: [getDaemon().tree] },
      limits,
    );
    const seen = parseSeen(text);
    const { tree } = getDaemon();
    expectOwn(
      { ...seen, mounts: seen.mounts.filter((path) => !path.startsWith(tree)) },
      withoutHook,
    );
  });

  testSystemd('prints one that systemd finds nothing wrong with', async () => {
    const verify = async (dropIn: string) => {
      const units = dir.at('units');
      await mkdir(`${units}/web.service.d`, { recursive: true });
      await writeFile(`${units}/web.service`, '[Service]\nExecStart=/bin/true\n');
      await writeFile(`${units}/lensfs.service`, '[Service]\nExecStart=/bin/true\n');
      await writeFile(`${units}/web.service.d/lensfs.conf`, dropIn);
      const { stdout, stderr } = await run('systemd-analyze', ['verify', `${units}/web.service`]);
      return (stdout + stderr).split('\n').filter((line) => line.includes('web.service'));
    };
    const dropIn = await recipe('systemd');
    expect(await verify(dropIn)).toEqual([]);
    const broken = await verify(dropIn.replaceAll('BindReadOnlyPaths=-/', 'BindReadOnlyPaths=-'));
    expect(broken).not.toEqual([]);
  });
});
