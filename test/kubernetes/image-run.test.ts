// SPDX-License-Identifier: Apache-2.0
// The image, built by Docker on a base made here, and what runs in it: the webhook as nobody, the agent on the host.
//
// The base made here has no compiler: what the first stage leaves in /out is made on this machine (image-stage.ts).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { controlSocketName } from '../../src/config/paths.js';
import { ask } from '../../src/control/client.js';
import { createKeyPair } from '../../src/kubernetes/certificates.js';
import { TestCgroup } from '../_support/cgroup.js';
import { dockerClient, dockerDaemon, PrivateDocker } from '../_support/dockerd.js';
import { makeImageBase } from '../_support/image-base.js';
import { runBuildStage } from '../_support/image-stage.js';
import { capabilities, KubernetesNode } from '../_support/kubelet.js';
import { lensfs, run } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { webhookHost, writePair } from '../_support/webhook.js';

const requirements = [
  ...mountRequirements,
  { met: () => existsSync(dockerDaemon), missing: `needs ${dockerDaemon}` },
  command('mmdebstrap'),
];
const testHere = testWith(...requirements);
const timeoutMs = 180_000;
const test = (name: string, body: () => Promise<void>) => testHere(name, body, timeoutMs);
const patient = { timeout: timeoutMs / 3, interval: 50 };
const setUpMs = 600_000;

const base = 'lensfs-image-base:bookworm';
const image = 'lensfs-image:test';
const dockerfilePath = 'deploy/image/Dockerfile';
const dockerfile = readFileSync(dockerfilePath, 'utf8');
const programs = ['addon.node', 'lensfs-hook', 'lensfs-keeper', 'lensfs-runtime'];
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
/** Paths of the modules that are needed for development only. */
const developmentOnly = Object.keys(packages).filter((path) => packages[path].dev === true);

let dir: TempDir;
let engine: PrivateDocker;
let node: KubernetesNode;
beforeAll(async () => {
  if (!requirements.every((requirement) => requirement.met())) return;
  dir = await TempDir.create();
  engine = await PrivateDocker.start({ storage: 'best' });
  node = await KubernetesNode.create();
  await makeImageBase(dir.at('base'));
  const tar = ['-C', dir.at('base'), '-cf', dir.at('base.tar'), '.'];
  const { code, stderr } = await run('tar', tar, { timeout: setUpMs });
  if (code !== 0) throw new Error(stderr);
  await docker('import', dir.at('base.tar'), base);
  const options = ['--network', 'none', '--force-rm', '--tag', image];
  await docker('build', ...options, '--build-arg', `NODE_IMAGE=${base}`, await makeContext());
}, setUpMs);
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
  await engine?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
}, setUpMs);

/** Standard output of Docker's client. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await tryDocker(...args);
  if (code !== 0) throw new Error(`docker ${args[0]} ended with ${code}: ${stdout}${stderr}`);
  return stdout;
}

async function tryDocker(...args: string[]) {
  const env = { ...process.env, DOCKER_BUILDKIT: '0' };
  const host = ['--host', `unix://${engine.endpoint.socket}`];
  return await run(dockerClient, [...host, ...args], { timeout: setUpMs, env });
}

/** A directory with what the first stage leaves in /out, and the Dockerfile without that stage. */
async function makeContext(): Promise<string> {
  const context = dir.at('context');
  await runBuildStage(dockerfilePath, dir.at('stage'));
  await mkdir(context);
  await rename(dir.at('stage', 'out'), `${context}/out`);
  await rm(dir.at('stage'), { recursive: true });
  expect(readdirSync(`${context}/out/build/Release`).sort()).toEqual(programs);
  expect(developmentOnly.length).toBeGreaterThan(100);
  for (const path of developmentOnly)
    expect(existsSync(`${context}/out/${path}`), path).toBe(false);
  const [head = ''] = dockerfile.split('FROM ');
  const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '));
  await writeFile(
    `${context}/Dockerfile`,
    `${head}FROM scratch AS build\nCOPY out /out\n\n${last}`,
  );
  return context;
}

const nameOf = (what: string) => `${dir.path.split('/').at(-1)}-${what}`;

test('The image runs as nobody, and prints its help', async () => {
  const flags = ['--rm', '--network', 'none', '--read-only'];
  const id = await docker('run', ...flags, '--entrypoint', 'id', image);
  expect(id).toMatch(/^uid=65532 gid=65532/);
  expect(await docker('run', ...flags, image)).toContain('kubernetes webhook');
});

test('The webhook runs in it without any privilege', async () => {
  await using tls = await TempDir.create();
  await writePair(tls, await createKeyPair([webhookHost], new Date()));
  for (const path of ['', 'tls.crt', 'tls.key']) await chmod(tls.at(path), 0o755);
  const name = nameOf('webhook');
  const restricted = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--read-only'];
  const options = ['--network', 'none', '--volume', `${tls.path}:/tls:ro`, ...restricted];
  const args = ['--tls', 'files', '--tls-dir', '/tls', '--host', '127.0.0.1', '--drain-ms', '0'];
  const ports = ['--port', '0', '--metrics-port', '8080'];
  await docker(
    ...['run', '--detach', '--name', name, ...options, image],
    ...['kubernetes', 'webhook', ...args, ...ports],
  );
  const ready = `fetch('http://127.0.0.1:8080/readyz').then(({ status }) => console.log(status))`;
  const ask = async () => (await tryDocker('exec', name, 'node', '-e', ready)).stdout;
  try {
    await expect.poll(ask, patient).toBe('200\n');
  } catch (error) {
    const { stdout, stderr } = await tryDocker('logs', name);
    throw new Error(`${error}\n${stdout}${stderr}`, { cause: error });
  } finally {
    await docker('rm', '--force', name);
  }
});

test('The agent runs in it, and its daemon goes on when Docker removes the container', async () => {
  const name = nameOf('agent');
  const parent = dirname(node.tree);
  for (const path of [parent, node.runDir]) await mkdir(path, { recursive: true });
  const shared = [parent, node.runDir].flatMap((path) => ['--volume', `${path}:${path}:rshared`]);
  const cgroups = ['--volume', '/sys/fs/cgroup:/sys/fs/cgroup'];
  // What --privileged gives, as far as this machine has it.
  const { missing } = await capabilities();
  const privileges = [
    ...['--user', '0', '--pid', 'host', '--network', 'none', '--device', '/dev/fuse'],
    ...['seccomp', 'apparmor', 'systempaths'].flatMap((name) => [
      ...['--security-opt', `${name}=unconfined`],
    ]),
    ...['--cap-add', 'ALL', ...missing.flatMap((name) => ['--cap-drop', name])],
  ];
  const status = async () => await ask(join(node.runDir, controlSocketName), 'status');
  const startAfter = async (pid: number) => {
    await docker(
      ...['run', '--detach', '--name', name, ...privileges, ...cgroups, ...shared, image],
      ...['serve', '--leave-mounted', '--tree', node.tree, '--run-dir', node.runDir],
      ...['--outlive', '600', '--outlive-cgroup', node.outside],
    );
    const isServing = async () => (await status().catch(() => ({ pid }))).pid !== pid;
    await expect.poll(isServing, patient).toBe(true);
  };
  await using cgroup = await TestCgroup.create({ memoryBytes: 64 * 2 ** 20 });
  const cat = cgroup.contain('cat', `${node.tree}/proc/meminfo`);
  const read = async () => (await run(...cat)).stdout.split('\n')[0];
  const own = 'MemTotal:          65536 kB';
  try {
    await startAfter(0);
    expect(await read()).toBe(own);
    const { pid, workerPid } = await status();
    await docker('rm', '--force', name);
    expect(await read()).toBe(own);
    expect(await status()).toMatchObject({ pid, workerPid });
    await startAfter(pid);
    await expect.poll(() => existsSync(`/proc/${workerPid}`), patient).toBe(false);
    expect(await read()).toBe(own);
    expect(await docker('exec', name, 'lensfs', 'status', '--run-dir', node.runDir)).toContain(
      node.tree,
    );
  } catch (error) {
    const { stdout, stderr } = await tryDocker('logs', name);
    throw new Error(`${error}\n${stdout}${stderr}`, { cause: error });
  } finally {
    await lensfs(['stop', '--run-dir', node.runDir]);
    await tryDocker('rm', '--force', name);
  }
});
