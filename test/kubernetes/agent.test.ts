// SPDX-License-Identifier: Apache-2.0
// The agent as its DaemonSet describes it, and pods as the webhook makes them, in mount namespaces of their own.
import { afterAll, beforeAll, expect } from 'vitest';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { podSchema } from '../../src/kubernetes/pod.js';
import { reviewPod } from '../../src/kubernetes/pod-review.js';
import { KubernetesNode, type PodContainer } from '../_support/kubelet.js';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import { mountRequirements } from '../_support/mounted.js';
import { command, testWith } from '../_support/requirements.js';
import { waitUntil } from '../_support/wait.js';
import type { Json } from './fixtures/fixture.js';

const requirements = [...mountRequirements, command('runc'), command('python3')];
const test = testWith(...requirements);
const limitKib = 96 * 1024;

let node: KubernetesNode;
let agentSpec: Json;
beforeAll(async () => {
  if (!requirements.every((requirement) => requirement.met())) return;
  node = await KubernetesNode.create();
  const sets = [
    `tree=${node.tree}`,
    `runDir=${node.runDir}`,
    'webhook.enabled=false',
    'node.enabled=false',
  ];
  const objects = buildObjects(knownInputs(parseValues({ sets }), 'lensfs-system', '0'));
  const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet');
  agentSpec = structuredClone(daemonSet?.['spec'].template.spec);
  // The ConfigMap is a directory with one file, which the defaults do without.
  const [agent] = agentSpec.containers;
  agent.volumeMounts = agent.volumeMounts.filter(({ name }: Json) => name !== 'config');
  agent.args = agent.args.filter((arg: string) => !arg.startsWith('--config='));
});
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
});

/** Starts what the kubelet would: the init container, then the agent; returns when it serves. */
async function startAgent(): Promise<PodContainer> {
  const [stage] = agentSpec.initContainers;
  const staged = await node.runToEnd(agentSpec, stage);
  if (staged.code !== 0) throw new Error(`stage: ${staged.stderr}${staged.stdout}`);
  const agent = await node.start(agentSpec, agentSpec.containers[0]);
  await waitUntil('the agent serves', () => agent.text.includes('"Serving"') || !agent.isRunning);
  if (!agent.isRunning) throw new Error(agent.text);
  return agent;
}

/** As the kubelet ends a pod: the preStop hook in the container, then SIGTERM. */
async function endAgent(agent: PodContainer): Promise<void> {
  const [, ...args] = agentSpec.containers[0].lifecycle.preStop.exec.command;
  const { program } = await import('../_support/lensfs.js');
  const { code, stderr } = await agent.exec('/node', program, ...args);
  expect([code, stderr]).toEqual([0, '']);
  await agent.kill('TERM');
  await agent.exited;
}

const readOnce = 'read -r name kib unit </proc/meminfo && echo "$kib" || echo failed';

/** A pod as the webhook leaves it: it prints its MemTotal, again and again. */
async function startPod(): Promise<PodContainer> {
  const loop = `while :; do ${readOnce}; /busybox usleep 2000; done`;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web' },
    spec: {
      volumes: [],
      containers: [{ name: 'app', command: ['/busybox', 'sh', '-c', loop], volumeMounts: [] }],
    },
  };
  const options = {
    tree: node.tree,
    files: ['proc/meminfo', 'proc/stat', 'sys/devices/system/cpu'] as const,
  };
  const namespace = { isOptedIn: true, isRestricted: false };
  const { patch } = reviewPod(podSchema.parse(structuredClone(pod)), namespace, options);
  const { spec } = patchWithKubectl(pod, patch) as Json;
  return await node.start(spec, spec.containers[0], { memoryBytes: limitKib * 1024 });
}

/** The values a pod has printed so far, without the one that may be cut. */
function values(pod: PodContainer): string[] {
  return pod.text.split('\n').slice(0, -1);
}

async function sees(
  pod: PodContainer,
  what: string,
  kib: (value: number) => boolean,
): Promise<void> {
  const from = values(pod).length;
  await waitUntil(`the pod sees ${what}`, () =>
    values(pod)
      .slice(from)
      .some((text) => kib(Number(text))),
  );
}

const own = (kib: number) => kib === limitKib;
const native = (kib: number) => kib > limitKib;

test('A pod follows a restart of the agent, and no read of it fails', async () => {
  const first = await startAgent();
  const pod = await startPod();
  await sees(pod, 'its own value', own);
  await endAgent(first);
  await sees(pod, "the node's value", native);
  const second = await startAgent();
  await sees(pod, 'its own value again', own);
  expect(values(pod)).not.toContain('failed');
  await pod.kill('KILL');
  await endAgent(second);
});

test('An agent that was killed leaves dead mounts, over which the next one starts', async () => {
  const first = await startAgent();
  const pod = await startPod();
  await sees(pod, 'its own value', own);
  await first.kill('KILL', '--all');
  await first.exited;
  await waitUntil('reads fail', () => values(pod).includes('failed'));
  const second = await startAgent();
  await sees(pod, 'its own value again', own);
  const late = await startPod();
  await sees(late, 'its own value', own);
  await pod.kill('KILL');
  await late.kill('KILL');
  await endAgent(second);
});

test('Of two agents at once the second ends, and pods notice nothing', async () => {
  const first = await startAgent();
  const pod = await startPod();
  await sees(pod, 'its own value', own);
  await expect(startAgent()).rejects.toThrow(/"code":|in use|already|stop it/i);
  await sees(pod, 'its own value', own);
  expect(first.isRunning).toBe(true);
  expect(new Set(values(pod))).toEqual(new Set([String(limitKib)]));
  await pod.kill('KILL');
  await endAgent(first);
});
