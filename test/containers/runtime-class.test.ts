// SPDX-License-Identifier: Apache-2.0
// Pods made by containerd as the kubelet asks for them: with `runtimeClassName: lensfs`, or with the webhook's volumes.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import { parseMounts } from '../../src/containers/mount-table.js';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { podSchema } from '../../src/kubernetes/pod.js';
import { reviewPod } from '../../src/kubernetes/pod-review.js';
import { type CriMount, CriNode, type CriPod } from '../_support/cri.js';
import { hookProgram, runtimeProgram } from '../_support/hook.js';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import { lensfs } from '../_support/lensfs.js';
import { mountRequirements, useDaemon } from '../_support/mounted.js';
import { built, command, testWith } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';

const requirements = [
  ...mountRequirements,
  built(hookProgram),
  built(runtimeProgram),
  command('containerd'),
  command('ctr'),
  command('runc'),
];
const test = testWith(...requirements);
const getDaemon = useDaemon();
const memoryBytes = 128 * 2 ** 20;

let node: CriNode;
beforeAll(async () => {
  if (!requirements.every((requirement) => requirement.met())) return;
  node = await CriNode.start(installHandler);
});
afterAll(async () => await node?.[Symbol.asyncDispose]());

/** As docs/containerd.md says, but for a daemon in other directories than the usual ones. */
async function installHandler(file: string, ...flags: string[]): Promise<void> {
  const { tree, runDir } = getDaemon();
  const places = ['--tree', tree, '--run-dir', runDir, ...flags];
  const { code, stderr } = await lensfs([
    'hook',
    'install',
    'containerd',
    '--file',
    file,
    ...places,
  ]);
  if (code !== 0) throw new Error(stderr);
}

/** The handler that the manifest of the RuntimeClass names. */
function handlerOfManifest(): string {
  const values = parseValues({ sets: ['runtimeClass.enabled=true'] });
  const objects = buildObjects(knownInputs(values, 'lensfs-system', '0'));
  return objects.find(({ kind }) => kind === 'RuntimeClass')?.['handler'];
}

const cat = async (pod: CriPod, path: string, container = 0) =>
  await node.exec(pod, ['/bin/cat', path], container);

const memTotalKib = async (pod: CriPod, container = 0) =>
  Number(/^MemTotal: +(\d+) kB\n/.exec(await cat(pod, '/proc/meminfo', container))?.[1]);

/** Its CPUs, as each file that tells of them says. */
async function cpusOf(pod: CriPod, container = 0): Promise<number[]> {
  const cpuinfo = await cat(pod, '/proc/cpuinfo', container);
  const stat = await cat(pod, '/proc/stat', container);
  const online = await cat(pod, '/sys/devices/system/cpu/online', container);
  return [
    cpuinfo.match(/^processor\s*:/gm)?.length ?? 0,
    stat.match(/^cpu\d+ /gm)?.length ?? 0,
    online.trim().split(',').length,
  ];
}

/** "major:minor" of the pinned connection: what is bound of it has the same. */
async function pinnedDevice(): Promise<string | undefined> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.find((line) => line.includes(` ${getDaemon().runDir}/mnt/pinned `))?.split(' ')[2];
}

test('A pod of the class has its pinned view without a volume, also of files that no volume could cover', async () => {
  const pod = await node.startPod({
    handler: handlerOfManifest(),
    containers: [{ memoryBytes, cpus: 1 }],
  });
  expect(await memTotalKib(pod)).toBe(memoryBytes / 1024);
  expect(await cpusOf(pod)).toEqual([1, 1, 1]);
  expect(await cat(pod, '/proc/pressure/cpu')).toMatch(/^some avg10=/);
  const lines = (await cat(pod, '/proc/self/mountinfo')).split('\n');
  const device = await pinnedDevice();
  const pinned = lines.filter((line) => line.split(' ')[2] === device).join('\n');
  const points = parseMounts(pinned).map(({ point }) => point);
  expect(points).toEqual(expect.arrayContaining(['/proc/meminfo', '/proc/pressure/cpu']));
  await node.deletePod(pod);
});

test('Each container of a pod has its own view, which follows a resize in place', async () => {
  const pod = await node.startPod({
    handler: handlerOfManifest(),
    containers: [{ memoryBytes, cpus: 1 }, { memoryBytes: 2 * memoryBytes }],
  });
  expect(await memTotalKib(pod, 0)).toBe(memoryBytes / 1024);
  expect(await memTotalKib(pod, 1)).toBe((2 * memoryBytes) / 1024);
  await node.resize(pod, { memoryBytes: 3 * memoryBytes, cpus: 2 });
  await waitUntil('the container sees its limits', async () => {
    return (await memTotalKib(pod)) === (3 * memoryBytes) / 1024;
  });
  expect(await cpusOf(pod, 0)).toEqual(await cpusOf(pod, 1));
  expect(await memTotalKib(pod, 1)).toBe((2 * memoryBytes) / 1024);
  await node.deletePod(pod);
});

test('A pod of the class that shows the processes of the host keeps the files of the host', async () => {
  const pod = await node.startPod({
    handler: handlerOfManifest(),
    hostPid: true,
    containers: [{ memoryBytes }],
  });
  expect(await cat(pod, '/proc/self/mountinfo')).not.toContain(' - fuse.lensfs ');
  await node.deletePod(pod);
});

test('A pod without the class has nothing of it', async () => {
  const pod = await node.startPod({ containers: [{ memoryBytes }] });
  expect(await cat(pod, '/proc/self/mountinfo')).not.toContain(' - fuse.lensfs ');
  const host = await readFile('/proc/meminfo', 'utf8');
  expect(await cat(pod, '/proc/meminfo')).toContain(host.split('\n')[0]);
  await node.deletePod(pod);
});

test('A pod as the webhook makes it has its view in its volumes', async () => {
  const original = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'app' }] },
  };
  const options = {
    tree: getDaemon().tree,
    files: ['proc/meminfo', 'proc/cpuinfo', 'proc/stat', 'sys/devices/system/cpu'] as const,
  };
  const namespace = { isOptedIn: true, isRestricted: false };
  const { patch } = reviewPod(podSchema.parse(structuredClone(original)), namespace, options);
  const { spec } = podSchema.parse(await patchWithKubectl(original, patch));
  const mounts = (spec.containers?.[0]?.volumeMounts ?? []).map((mount): CriMount => {
    expect(mount).toMatchObject({ readOnly: true, mountPropagation: 'HostToContainer' });
    const volume = spec.volumes?.find(({ name }) => name === mount.name);
    return {
      host_path: String(volume?.hostPath?.path),
      container_path: mount.mountPath,
      readonly: true,
      propagation: 'PROPAGATION_HOST_TO_CONTAINER',
    };
  });
  expect(mounts.map(({ container_path }) => container_path.slice(1))).toEqual(options.files);
  const pod = await node.startPod({ containers: [{ memoryBytes, cpus: 1, mounts }] });
  expect(await memTotalKib(pod)).toBe(memoryBytes / 1024);
  expect(await cpusOf(pod)).toEqual([1, 1, 1]);
  await node.deletePod(pod);
});

test('By --default each pod has its view, also where the file lists no runtimes, and CRI answers after the removal', async () => {
  let before = '';
  await using other = await CriNode.start(async (file) => {
    const text = await readFile(file, 'utf8');
    before = text.slice(0, text.indexOf('    default_runtime_name'));
    await writeFile(file, before);
    await installHandler(file, '--default');
  });
  const total = async (pod: CriPod) => {
    return (await other.exec(pod, ['/bin/cat', '/proc/meminfo'])).split('\n')[0];
  };
  const own = `MemTotal: ${String(memoryBytes / 1024).padStart(14)} kB`;
  const pod = await other.startPod({ containers: [{ memoryBytes }] });
  const byRunc = await other.startPod({ handler: 'runc', containers: [{ memoryBytes }] });
  expect([await total(pod), await total(byRunc)]).toEqual([own, expect.not.stringMatching(own)]);
  const file = other.dir.at('config.toml');
  const { code, stderr } = await lensfs(['hook', 'remove', 'containerd', '--file', file]);
  expect([code, stderr]).toEqual([0, expect.stringContaining('stays: containers that run now')]);
  expect(await readFile(file, 'utf8')).toBe(before);
  await other.restart();
  expect(await total(pod)).toBe(own);
  const plain = await other.startPod({ containers: [{ memoryBytes }] });
  expect(await total(plain)).not.toBe(own);
  for (const each of [pod, byRunc, plain]) await other.deletePod(each);
});
