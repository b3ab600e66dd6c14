// SPDX-License-Identifier: Apache-2.0
// Which objects the API server sends to the webhook, and at which path. Pure.
import {
  admissionPaths,
  hostPathRefusingLevels,
  injectKey,
  injectorName,
  legacyKey,
  podSecurityKey,
} from '../names.js';
import type { Inputs } from './inputs.js';
import { clusterWide, type KubernetesObject } from './manifest.js';

const pods = [
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['CREATE'],
    resources: ['pods'],
    scope: 'Namespaced',
  },
  {
    apiGroups: [''],
    apiVersions: ['v1'],
    operations: ['UPDATE'],
    resources: ['pods/ephemeralcontainers'],
    scope: 'Namespaced',
  },
];

const workloads = [
  ['apps', ['deployments', 'statefulsets', 'daemonsets'], ['CREATE', 'UPDATE']],
  ['apps', ['replicasets'], ['CREATE']],
  ['batch', ['cronjobs'], ['CREATE', 'UPDATE']],
  ['batch', ['jobs'], ['CREATE']],
  ['', ['replicationcontrollers'], ['CREATE']],
].map(([group, resources, operations]) => ({
  apiGroups: [group],
  apiVersions: ['v1'],
  operations,
  resources,
  scope: 'Namespaced',
}));

const name = 'kubernetes.io/metadata.name';
const enabled = { key: injectKey, operator: 'In', values: ['enabled'] };
const silent = { key: injectKey, operator: 'NotIn', values: ['enabled', 'disabled'] };
const notDisabled = { key: injectKey, operator: 'NotIn', values: ['disabled'] };
const restricted = { key: podSecurityKey, operator: 'In', values: [...hostPathRefusingLevels] };
const unrestricted = { ...restricted, operator: 'NotIn' };

const anyOf = (expressions: readonly string[]): string =>
  expressions.map((expression) => `(${expression})`).join(' || ');

const annotatedWith = (object: 'object' | 'oldObject', key: string) =>
  `has(${object}.metadata.annotations) && '${key}' in ${object}.metadata.annotations`;

const askingKeys = [injectKey, legacyKey];
const annotated = askingKeys.map((key) => annotatedWith('object', key));

// These spare the API server a call for each pod of the cluster; the webhook decides what an annotation means.
const podAsks = {
  name: 'asks-for-the-view',
  expression: anyOf([
    ...annotated,
    `has(object.metadata.labels) && '${injectKey}' in object.metadata.labels`,
  ]),
};
// One that asks no more takes back what its template was given.
const workloadAsks = {
  name: 'asks-for-the-view',
  expression: anyOf([
    ...annotated,
    ...askingKeys.map((key) => `oldObject != null && ${annotatedWith('oldObject', key)}`),
  ]),
};

/** The configuration; `annotations` are cert-manager's, `caBundle` is for a certificate that somebody else has made. */
export function webhookConfiguration(
  inputs: Inputs,
  certificate: { annotations?: object; caBundle?: string },
): KubernetesObject {
  const { annotations, caBundle } = certificate;
  const excluded = { key: name, operator: 'NotIn', values: inputs.excludedNamespaces };
  const webhook = (
    prefix: string,
    path: string,
    rules: readonly object[],
    namespace: readonly object[],
    matchConditions?: readonly object[],
  ) => ({
    name: `${prefix}.inject.lensfs.io`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: inputs.values.webhook.failurePolicy,
    timeoutSeconds: inputs.values.webhook.timeoutSeconds,
    matchPolicy: 'Equivalent',
    // Containers that later webhooks add get the view too.
    reinvocationPolicy: 'IfNeeded',
    clientConfig: {
      service: { name: injectorName, namespace: inputs.namespace, path, port: 443 },
      ...(caBundle !== undefined && { caBundle }),
    },
    rules,
    namespaceSelector: { matchExpressions: [excluded, ...namespace] },
    objectSelector: { matchExpressions: [notDisabled] },
    ...(matchConditions && { matchConditions }),
  });
  const { namespace, pod, namespaceRestricted, podRestricted, workload } = admissionPaths;
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      ...clusterWide(inputs, injectorName, 'webhook'),
      ...(annotations && { annotations }),
    },
    webhooks: [
      ...inputs.itemWhen('workloads', webhook('workload', workload, workloads, [], [workloadAsks])),
      webhook('namespace', namespace, pods, [enabled, unrestricted]),
      webhook('pod', pod, pods, [silent, unrestricted], [podAsks]),
      webhook('namespace-restricted', namespaceRestricted, pods, [enabled, restricted]),
      webhook('pod-restricted', podRestricted, pods, [silent, restricted], [podAsks]),
    ],
  };
}
