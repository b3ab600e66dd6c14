// SPDX-License-Identifier: Apache-2.0
// What people set: the chart's values.yaml and the command's --set. The one place that knows keys and defaults. Pure.

import { posix } from 'node:path';
import { defaultTree } from '../../config/schema.js';
import { z } from '../../zod.js';
import { injectableFiles } from '../files.js';
import { certificateSecretName, startupTaint, systemNamespaces } from '../names.js';
import { defaultForeignNodes, foreignNodeLabel } from '../skip.js';

function noted<T extends z.ZodType>(schema: T, description: string): T {
  return schema.meta({ description }) as T;
}

const flag = (fallback: boolean, description: string) =>
  noted(z.boolean().default(fallback), description);
const text = (fallback: string, description: string) =>
  noted(z.string().default(fallback), description);
const path = (fallback: string, description: string) =>
  noted(
    z
      .string()
      .regex(/^\/[\w./-]+$/)
      .default(fallback),
    description,
  );
const count = (fallback: number, description: string) =>
  noted(z.int().min(0).default(fallback), description);
// biome-ignore lint/suspicious/noExplicitAny: passed on to Kubernetes as it is
const free = (fallback: any, description: string) =>
  noted(z.record(z.string(), z.any()).default(fallback), description);
// biome-ignore lint/suspicious/noExplicitAny: passed on to Kubernetes as it is
const list = (fallback: any[], description: string) =>
  noted(z.array(z.record(z.string(), z.any())).default(fallback), description);

function section<T extends z.core.$ZodLooseShape>(shape: T, description: string) {
  return noted(z.strictObject(shape).prefault({} as never), description);
}

/** Why a combination is refused: a volume of the agent within another would be mounted once more by each container. */
export const nestedDirectories =
  'runDir must not be in the directory that tree is in, nor the other way round';

const fields = z.strictObject({
  image: section(
    {
      repository: text('lensfs', 'Where the image is'),
      tag: text('', 'The version of the chart, when it is empty'),
      pullPolicy: noted(
        z.enum(['IfNotPresent', 'Always', 'Never']).default('IfNotPresent'),
        'When it is pulled',
      ),
    },
    'One image for the agent and the webhook',
  ),
  imagePullSecrets: list([], 'Secrets for the registry, such as [{name: registry}]'),
  tree: path(defaultTree, 'Where the files appear on each node: what pods mount'),
  runDir: path('/run/lensfs', 'Where the control socket and the FUSE mounts are on each node'),
  files: noted(
    z
      .array(z.enum(injectableFiles))
      .min(1)
      .default([...injectableFiles]),
    'The files that a pod gets which names none',
  ),
  foreignNodes: noted(
    z.array(z.string().regex(foreignNodeLabel)).default([...defaultForeignNodes]),
    'Pods that ask for nodes with one of these labels get no view: such nodes have no agent, or refuse hostPath volumes',
  ),
  agent: section(
    {
      enabled: flag(true, 'Run the daemon on each node, in a DaemonSet'),
      config: free({}, 'Keys of /etc/lensfs/config.yaml, such as {cpu: {count: cpuset}}'),
      resources: free(
        { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '512Mi' } },
        'What it asks for',
      ),
      priorityClassName: text('system-node-critical', 'Whom it gives way to'),
      tolerations: list([{ operator: 'Exists' }], 'Every node, also before it is ready'),
      nodeSelector: free({ 'kubernetes.io/os': 'linux' }, 'On which nodes'),
      maxUnavailable: noted(
        z.union([z.int(), z.string()]).default('10%'),
        'How many nodes are updated at once',
      ),
      outliveSeconds: noted(
        z.int().min(0).max(86_400).default(600),
        'How long the daemon goes on when its pod has ended, until the next pod takes over',
      ),
      terminationGracePeriodSeconds: count(30, 'How long the pod may take to end'),
    },
    'The daemon on each node',
  ),
  node: section(
    {
      enabled: flag(
        true,
        'Label nodes on which the daemon serves, and take the startup taint from them',
      ),
      startupTaint: text(
        startupTaint,
        'The taint to take away; register nodes with it, effect NoSchedule',
      ),
      resources: free(
        { requests: { cpu: '5m', memory: '48Mi' }, limits: { memory: '128Mi' } },
        'What it asks for',
      ),
    },
    'What other pods can see of the daemon',
  ),
  webhook: section(
    {
      enabled: flag(true, 'Give the view to pods that ask for it, by a mutating webhook'),
      replicas: count(2, 'How many answer'),
      timeoutSeconds: noted(
        z.int().min(1).max(30).default(3),
        'How long the API server waits; then the pod is created as it is',
      ),
      failurePolicy: noted(
        z.enum(['Ignore', 'Fail']).default('Ignore'),
        'A view is never worth an outage',
      ),
      excludedNamespaces: noted(
        z.array(z.string()).default([...systemNamespaces]),
        'Namespaces it never sees; its own is one more',
      ),
      workloads: flag(
        true,
        'Honour annotations on Deployments, Jobs and so on: they go to the pod template',
      ),
      resources: free(
        { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '256Mi' } },
        'What it asks for',
      ),
      priorityClassName: text('system-cluster-critical', 'Whom it gives way to'),
      tolerations: list([], 'Where else it may run'),
      nodeSelector: free({ 'kubernetes.io/os': 'linux' }, 'On which nodes'),
      logLevel: text('info', 'trace, debug, info, warn, error or fatal'),
      podDisruptionBudget: flag(
        false,
        'Drain nodes so that one replica is away at a time; the only node of a cluster cannot be drained then',
      ),
      networkPolicy: flag(true, 'Let in only the two ports, out only DNS and the API server'),
      apiServerPorts: noted(
        z.array(z.int().min(1).max(65_535)).min(1).default([443, 6443]),
        'For the network policy: where the API server listens',
      ),
      reviewsFrom: list(
        [],
        'For the network policy: from where the API server calls, such as [{ipBlock: {cidr: 192.0.2.1/32}}]; from anywhere when it is empty',
      ),
      metricsFrom: list(
        [{ namespaceSelector: {} }],
        'For the network policy: from where metrics are read; nodes always may',
      ),
      clientCaConfigMap: text(
        '',
        "A ConfigMap whose ca.crt has the authorities of the API server's client certificate; without it, every client is answered",
      ),
      clientNames: noted(
        z.array(z.string()).default([]),
        'The common names that such a certificate may have, such as [kube-apiserver]; any when it is empty',
      ),
      serviceMonitor: flag(false, "For the Prometheus operator's kind"),
    },
    'The mutating webhook',
  ),
  tls: section(
    {
      mode: noted(
        z.enum(['self-managed', 'cert-manager', 'existing-secret']).default('self-managed'),
        'Who makes the certificate of the webhook',
      ),
      secretName: text(certificateSecretName, 'The Secret with tls.crt and tls.key'),
      caBundle: text('', 'For existing-secret: the authority that signed it, base64 of PEM'),
    },
    'The certificate of the webhook',
  ),
  policy: section(
    {
      enabled: flag(
        false,
        'Give the view by a MutatingAdmissionPolicy, without a server (then switch the webhook off)',
      ),
      apiVersion: noted(
        z
          .enum(['admissionregistration.k8s.io/v1', 'admissionregistration.k8s.io/v1beta1'])
          .default('admissionregistration.k8s.io/v1'),
        'v1 since Kubernetes 1.36, v1beta1 since 1.34',
      ),
    },
    'The same without a webhook',
  ),
  runtimeClass: section(
    {
      enabled: flag(
        false,
        'Offer "runtimeClassName: lensfs"; nodes need the handler in containerd or CRI-O',
      ),
      handler: text('lensfs', 'The name of the handler'),
      nodeSelector: free({}, 'Nodes that have the handler'),
    },
    'Views of their own for pods, without a volume',
  ),
});

export const valuesSchema = fields.refine(
  ({ tree, runDir }) => {
    const parent = posix.dirname(tree);
    return !isIn(runDir, parent) && !isIn(parent, runDir);
  },
  { path: ['runDir'], message: nestedDirectories },
);

function isIn(path: string, directory: string): boolean {
  return `${path}/`.startsWith(directory === '/' ? '/' : `${directory}/`);
}

export type Values = z.output<typeof valuesSchema>;

export const defaultValues: Values = valuesSchema.parse({});
