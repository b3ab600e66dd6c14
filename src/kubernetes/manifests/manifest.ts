// SPDX-License-Identifier: Apache-2.0
// A Kubernetes object and what it depends on; and the pieces that several of them share. Pure.
import type { Condition, Inputs } from './inputs.js';

// biome-ignore lint/suspicious/noExplicitAny: checked against the schemas of Kubernetes in the tests
export type KubernetesObject = Record<string, any>;

export interface Manifest {
  when: Condition;
  object: KubernetesObject;
}

export type Component = 'agent' | 'webhook' | 'policy' | 'runtime-class';

/** Identify an object; they never change, so that selectors may use them. */
export function selectorLabels(component: Component) {
  return { 'app.kubernetes.io/name': 'lensfs', 'app.kubernetes.io/component': component };
}

export function labels({ version }: Inputs, component: Component) {
  return {
    ...selectorLabels(component),
    'app.kubernetes.io/part-of': 'lensfs',
    'app.kubernetes.io/version': version,
  };
}

/** Metadata of an object in our namespace. */
export function namespaced(inputs: Inputs, name: string, component: Component) {
  return { name, namespace: inputs.namespace, labels: labels(inputs, component) };
}

/** Metadata of an object of the cluster. */
export function clusterWide(inputs: Inputs, name: string, component: Component) {
  return { name, labels: labels(inputs, component) };
}

/** A role, a binding of it to the service account of the same name, both in the namespace or the cluster. */
export function roleAndBinding(
  metadata: KubernetesObject,
  namespace: string,
  isClusterWide: boolean,
  rules: readonly object[],
): KubernetesObject[] {
  const prefix = isClusterWide ? 'Cluster' : '';
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const { name } = metadata;
  return [
    { apiVersion, kind: `${prefix}Role`, metadata, rules },
    {
      apiVersion,
      kind: `${prefix}RoleBinding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name },
      subjects: [{ kind: 'ServiceAccount', name, namespace }],
    },
  ];
}

/** What the "restricted" level of PodSecurity asks of a container. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
