// SPDX-License-Identifier: Apache-2.0
// The daemon on each node. Pure.
import { agentName } from '../names.js';
import type { Inputs } from './inputs.js';
import {
  clusterWide,
  type KubernetesObject,
  type Manifest,
  namespaced,
  restrictedContainer,
  roleAndBinding,
  selectorLabels,
} from './manifest.js';
import { nodePolicy } from './node-policy.js';

const component = 'agent';
const configDir = '/etc/lensfs';
const cgroupMount = {
  name: 'cgroup',
  mountPath: '/sys/fs/cgroup',
  mountPropagation: 'HostToContainer',
};
const root = { privileged: true, runAsUser: 0 };
const tokenDir = '/var/run/secrets/kubernetes.io/serviceaccount';

export function agentManifests(inputs: Inputs): Manifest[] {
  const { when, namespace } = inputs;
  const cluster = clusterWide(inputs, agentName, component);
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: namespaced(inputs, agentName, component),
    automountServiceAccountToken: false,
  };
  const nodeRules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get', 'patch'] }];
  return [
    { when: when('agent'), object: account },
    ...[...roleAndBinding(cluster, namespace, true, nodeRules), ...nodePolicy(inputs)].map(
      (object) => ({ when: when('node'), object }),
    ),
    { when: when('agent'), object: configMap(inputs) },
    { when: when('node'), object: daemonSet(inputs, [nodeContainer(inputs)]) },
    { when: when('agentAlone'), object: daemonSet(inputs, []) },
  ];
}

function configMap(inputs: Inputs): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: namespaced(inputs, agentName, component),
    data: { 'config.yaml': inputs.config },
  };
}

function daemonSet(inputs: Inputs, more: readonly KubernetesObject[]): KubernetesObject {
  const { values } = inputs;
  const { agent } = values;
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: namespaced(inputs, agentName, component),
    spec: {
      selector: { matchLabels: selectorLabels(component) },
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: agent.maxUnavailable },
      },
      template: {
        metadata: {
          labels: selectorLabels(component),
          annotations: { 'lensfs.io/config-hash': inputs.configHash },
        },
        spec: {
          serviceAccountName: agentName,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          // A container is found by the node's process ids.
          hostPID: true,
          priorityClassName: agent.priorityClassName,
          terminationGracePeriodSeconds: agent.terminationGracePeriodSeconds,
          tolerations: agent.tolerations,
          nodeSelector: agent.nodeSelector,
          imagePullSecrets: values.imagePullSecrets,
          initContainers: [stageContainer(inputs)],
          containers: [serveContainer(inputs), ...more],
          volumes: volumes(inputs),
        },
      },
    },
  };
}

/** Directories above the mounts, never a FUSE mount itself: a dead one would keep the pod from starting. */
function sharedMounts({ values, treeParent }: Inputs) {
  return [
    { name: 'tree', mountPath: treeParent, mountPropagation: 'Bidirectional' },
    { name: 'run', mountPath: values.runDir, mountPropagation: 'Bidirectional' },
  ];
}

function paths({ values }: Inputs): string[] {
  return [`--tree=${values.tree}`, `--run-dir=${values.runDir}`];
}

/** The native files, and nothing dead above them, before the daemon comes. */
function stageContainer(inputs: Inputs): KubernetesObject {
  return {
    name: 'stage',
    image: inputs.image,
    imagePullPolicy: inputs.values.image.pullPolicy,
    args: ['stage', `--tree=${inputs.values.tree}`],
    securityContext: root,
    resources: inputs.values.agent.resources,
    volumeMounts: [...sharedMounts(inputs), cgroupMount],
  };
}

function serveContainer(inputs: Inputs): KubernetesObject {
  const { values, image } = inputs;
  const probe = { exec: { command: ['lensfs', 'status', `--run-dir=${values.runDir}`] } };
  return {
    name: 'agent',
    image,
    imagePullPolicy: values.image.pullPolicy,
    // What pods have mounted stays, and is served, when the agent's pod ends: the next one takes over. Should none
    // come, pods see the node's values. So there is nothing for a preStop hook to do.
    args: [
      'serve',
      '--leave-mounted',
      `--outlive=${values.agent.outliveSeconds}`,
      `--config=${configDir}/config.yaml`,
      ...paths(inputs),
    ],
    securityContext: root,
    startupProbe: { ...probe, periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 30 },
    readinessProbe: { ...probe, periodSeconds: 15, timeoutSeconds: 10 },
    livenessProbe: { ...probe, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 4 },
    resources: values.agent.resources,
    volumeMounts: [
      ...sharedMounts(inputs),
      cgroupMount,
      { name: 'config', mountPath: configDir, readOnly: true },
    ],
  };
}

/** Has no privilege but the right to label its node, and only it has a token. */
function nodeContainer({ values, image }: Inputs): KubernetesObject {
  return {
    name: 'node',
    image,
    imagePullPolicy: values.image.pullPolicy,
    args: [
      'kubernetes',
      'node',
      '--name=$(NODE_NAME)',
      `--taint=${values.node.startupTaint}`,
      `--run-dir=${values.runDir}`,
    ],
    env: [{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }],
    // Root without any capability, which may talk to the control socket.
    securityContext: { ...restrictedContainer, runAsUser: 0 },
    resources: values.node.resources,
    volumeMounts: [
      {
        name: 'run',
        mountPath: values.runDir,
        readOnly: true,
        mountPropagation: 'HostToContainer',
      },
      { name: 'token', mountPath: tokenDir, readOnly: true },
    ],
  };
}

function volumes({ values, treeParent }: Inputs): KubernetesObject[] {
  const directory = (name: string, path: string, type: string) => ({
    name,
    hostPath: { path, type },
  });
  return [
    directory('tree', treeParent, 'DirectoryOrCreate'),
    directory('run', values.runDir, 'DirectoryOrCreate'),
    directory('cgroup', '/sys/fs/cgroup', 'Directory'),
    { name: 'config', configMap: { name: agentName } },
    {
      name: 'token',
      projected: {
        sources: [
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          {
            configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
          },
        ],
      },
    },
  ];
}
