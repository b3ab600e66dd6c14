// SPDX-License-Identifier: Apache-2.0
// The agent as its DaemonSet describes it, and pods as the webhook makes them, in mount namespaces of their own.
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';
import type { StatusReply } from '../../src/control/protocol.js';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { podSchema } from '../../src/kubernetes/pod.js';
import { reviewPod } from '../../src/kubernetes/pod-review.js';
import { KubernetesNode, type PodContainer } from '../_support/kubelet.js';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import { lensfs } from '../_support/lensfs.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';
import type { Json } from './fixtures/fixture.js';

const requirements = [...mountRequirements, command('runc'), command('python3')];
const timeoutMs = 120_000;
const testHere = testWith(...requirements);
const test = (name: string, body: () => Promise<void>) => testHere(name, body, timeoutMs);
const limitKib = 96 * 1024;

let node: KubernetesNode;
beforeAll(async () => {
  if (!requirements.every((requirement) => requirement.met())) return;
  const rendered = buildObjects(knownInputs(parseValues({ sets: [] }), 'lensfs-system', '0'));
  const ofKind = (wanted: string) => rendered.filter(({ kind }) => kind === wanted);
  node = await KubernetesNode.create({
    services: ofKind('Service'),
    configMaps: ofKind('ConfigMap'),
  });
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
});

/** The pod template of the DaemonSet. */
function agentSpec(outliveSeconds: number): Json {
  const sets = [
    `tree=${node.tree}`,
    `runDir=${node.runDir}`,
    `agent.outliveSeconds=${outliveSeconds}`,
    'webhook.enabled=false',
    'node.enabled=false',
  ];
  const objects = buildObjects(knownInputs(parseValues({ sets }), 'lensfs-system', '0'));
  const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet');
  const spec = structuredClone(daemonSet?.['spec'].template.spec);
  const [agent] = spec.containers;
  agent.args.push(`--outlive-cgroup=${node.outside}`);
  return spec;
}

/** Starts what the kubelet would: the init container, then the agent; returns when it serves. */
async function startAgent({ outliveSeconds = 600 } = {}): Promise<PodContainer> {
  const spec = agentSpec(outliveSeconds);
  const staged = await node.runToEnd(spec, spec.initContainers[0]);
  if (staged.code !== 0) throw new Error(`stage: ${staged.stderr}${staged.stdout}`);
  const agent = await node.start(spec, spec.containers[0], { memoryBytes: 512 * 2 ** 20 });
  await waitUntil('the agent serves', () => agent.text.includes('"Serving"') || !agent.isRunning);
  if (!agent.isRunning) throw new Error(agent.text);
  return agent;
}

/** As the kubelet ends a pod; returns when nothing of the container is left. */
async function end(container: PodContainer): Promise<void> {
  await container.kill('TERM');
  expect(await container.exited).toBe(0);
  expect(node.cgroupsOf(container)).toEqual([]);
}

/** Ends whatever daemon there is, also outside of pods. */
async function stopDaemon(): Promise<void> {
  const { code, stderr } = await lensfs(['stop', '--run-dir', node.runDir]);
  expect([code, stderr]).toEqual([0, '']);
}

async function status(): Promise<StatusReply> {
  const { code, stdout, stderr } = await lensfs(['status', '--json', '--run-dir', node.runDir]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** Prints MemTotal in KiB, again and again; with an argument also through a descriptor that it keeps open. */
const reader = `
import os, sys, time
def kib(fd):
    return os.pread(fd, 200, 0).split()[1].decode()
kept = os.open('/proc/meminfo', os.O_RDONLY) if len(sys.argv) > 1 else None
while True:
    try:
        fresh = os.open('/proc/meminfo', os.O_RDONLY)
        print(kib(fresh), flush=True)
        os.close(fresh)
        if kept is not None:
            print(kib(kept), flush=True)
    except OSError as error:
        print('failed', error, flush=True)
    time.sleep(0.002)
`;

/** A pod as the webhook leaves it, with the reader in it. */
async function startPod(...args: 'keep'[]): Promise<PodContainer> {
  const command = ['/usr/bin/python3', '-c', reader, ...args];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: { volumes: [], containers: [{ name: 'app', command, volumeMounts: [] }] },
  };
  const options = {
    tree: node.tree,
    files: ['proc/meminfo', 'proc/stat', 'sys/devices/system/cpu'] as const,
  };
  const namespace = { isOptedIn: true, isRestricted: false };
  const { patch } = reviewPod(podSchema.parse(structuredClone(pod)), namespace, options);
  const { spec } = (await patchWithKubectl(pod, patch)) as Json;
  const started = await node.start(spec, spec.containers[0], { memoryBytes: limitKib * 1024 });
  await sees(started, own);
  return started;
}

/** The lines a pod has printed so far, without the one that may be cut. */
function lines(pod: PodContainer): string[] {
  return pod.text.split('\n').slice(0, -1);
}

/** Waits for a line of the pod's from now on, and for what it has begun before that. */
async function sees(pod: PodContainer, isExpected: (line: string) => boolean): Promise<void> {
  const from = lines(pod).length + 2;
  await waitUntil(`the pod sees ${isExpected.name}`, () => {
    if (!pod.isRunning) throw new Error(pod.text);
    return lines(pod).slice(from).some(isExpected);
  });
}

const own = (line: string) => line === String(limitKib);
const native = (line: string) => Number(line) > limitKib;
const failed = (line: string) => line.startsWith('failed');

function expectOnly(pod: PodContainer, ...kinds: ((line: string) => boolean)[]): void {
  expect(lines(pod).filter((line) => !kinds.some((isOfKind) => isOfKind(line)))).toEqual([]);
}

test('The agent starts where the variables of services are given to it as well', async () => {
  const spec = { ...agentSpec(600), enableServiceLinks: true };
  const staged = await node.runToEnd(spec, spec.initContainers[0]);
  expect([staged.code, staged.stderr]).toEqual([0, '']);
  const agent = await node.start(spec, spec.containers[0]);
  await waitUntil('the agent serves', () => agent.text.includes('"Serving"') || !agent.isRunning);
  expect(agent.isRunning, agent.text).toBe(true);
  await end(agent);
  await stopDaemon();
});

test('A restart of the agent is invisible to pods', async () => {
  const first = await startAgent();
  const pod = await startPod('keep');
  const before = await status();
  await end(first);
  // There is no agent, and its daemon serves on.
  await sees(pod, own);
  expect(await status()).toMatchObject({ pid: before.pid, workerPid: before.workerPid });
  const second = await startAgent();
  await sees(pod, own);
  const after = await status();
  await waitUntil('the earlier daemon has gone', () =>
    [before.pid, before.workerPid].every((pid) => !existsSync(`/proc/${pid}`)),
  );
  expect(after.pid).not.toBe(before.pid);
  expect(after.layers).toBe(before.layers);
  await sees(pod, own);
  expectOnly(pod, own);
  await pod.kill('KILL');
  await stopDaemon();
  expect(await second.exited).toBe(0);
});

test('A rolling update is invisible to pods, many times, also when agents are killed', async () => {
  let agent = await startAgent();
  const pod = await startPod('keep');
  const { layers } = await status();
  for (let update = 0; update < 4; update += 1) {
    await agent.kill('KILL', ...(update % 2 === 0 ? [] : (['--all'] as const)));
    await agent.exited;
    expect(node.cgroupsOf(agent)).toEqual([]);
    await sees(pod, own);
    agent = await startAgent();
    await sees(pod, own);
  }
  expectOnly(pod, own);
  expect((await status()).layers).toBe(layers);
  await pod.kill('KILL');
  await stopDaemon();
  await agent.exited;
});

test('Of two agents at once the later one serves, and pods notice nothing', async () => {
  const first = await startAgent();
  const pod = await startPod('keep');
  const second = await startAgent();
  await sees(pod, own);
  // A container runtime would start a container again that ends by itself.
  expect([first.isRunning, second.isRunning]).toEqual([true, true]);
  await end(first);
  await sees(pod, own);
  await end(second);
  await sees(pod, own);
  expectOnly(pod, own);
  await pod.kill('KILL');
  await stopDaemon();
});

test('A worker that dies while no agent is there is replaced', async () => {
  const agent = await startAgent();
  const pod = await startPod('keep');
  await end(agent);
  const { workerPid } = await status();
  process.kill(workerPid, 'SIGKILL');
  await waitUntil('another worker serves', async () => (await status()).workerPid !== workerPid);
  await sees(pod, own);
  expectOnly(pod, own);
  await pod.kill('KILL');
  await stopDaemon();
});

test('Pods see the values of the node when no other agent comes, until one does', async () => {
  const first = await startAgent({ outliveSeconds: 1 });
  const pod = await startPod();
  await end(first);
  await sees(pod, native);
  await waitUntil('the daemon has gone', () => node.processesOutside().length === 0);
  const second = await startAgent();
  await sees(pod, own);
  expectOnly(pod, own, native);
  await pod.kill('KILL');
  await end(second);
  await stopDaemon();
});

test('A daemon that was killed leaves dead mounts, over which the next agent starts', async () => {
  const first = await startAgent();
  const pod = await startPod();
  node.killOutside();
  expect(await first.exited).not.toBe(0);
  await sees(pod, failed);
  const second = await startAgent();
  await sees(pod, own);
  const late = await startPod('keep');
  expectOnly(late, own);
  await pod.kill('KILL');
  await late.kill('KILL');
  await end(second);
  await stopDaemon();
});

test('A daemon that outlives its pod has the memory limit of the pod', async () => {
  const agent = await startAgent();
  expect(await node.memoryLimitOutside()).toBe(512 * 2 ** 20);
  await end(agent);
  await stopDaemon();
});
