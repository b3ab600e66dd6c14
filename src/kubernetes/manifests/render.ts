// SPDX-License-Identifier: Apache-2.0
// Manifests -> YAML, for kubectl or as the template of a chart. Pure.
import { stringify } from 'yaml';
import { agentManifests } from './agent.js';
import { type Expressions, endOfBlock, type Inputs } from './inputs.js';
import type { KubernetesObject, Manifest } from './manifest.js';
import { policyManifests } from './policy.js';
import { runtimeClassManifests } from './runtime-class.js';
import { webhookManifests } from './webhook.js';

const options = { lineWidth: 0, aliasDuplicateObjects: false };

/** What can be installed by itself, in the order it is applied. */
export const parts = {
  agent: agentManifests,
  webhook: webhookManifests,
  policy: policyManifests,
  runtimeclass: runtimeClassManifests,
} as const satisfies Record<string, (inputs: Inputs) => Manifest[]>;

export type Part = keyof typeof parts;

/** All objects there are with these values. */
export function buildObjects(inputs: Inputs): KubernetesObject[] {
  return Object.values(parts)
    .flatMap((build) => build(inputs))
    .filter(({ when }) => when.holds)
    .map(({ object }) => object);
}

/** The agent is privileged and mounts directories of the node. */
export function namespaceObject(name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
  };
}

export function toYaml(objects: readonly KubernetesObject[]): string {
  return objects.map((object) => stringify(object, options)).join('---\n');
}

/** The template of one part, with each token replaced by its expression. */
export function toTemplate(manifests: readonly Manifest[], expressions: Expressions): string {
  return manifests
    .map(({ when, object }) => {
      const yaml = stringify(object, options)
        // An item of a list that is a template action stands for itself.
        .replace(/^ *- "@@(\d+)@@"\n/gm, (item, n) => {
          const expression = expressions[Number(n)] ?? '';
          return isAction(expression) ? `{{- ${expression} }}\n` : item;
        })
        // A whole value keeps its type; a part of one is text.
        .replace(/(?<=[:-] )(["'])@@(\d+)@@\1$/gm, (_, _quote, n) => {
          return `{{ toJson (${expressions[Number(n)]}) }}`;
        })
        .replace(/@@(\d+)@@/g, (_, n) => `{{ ${expressions[Number(n)]} }}`);
      return `{{- if ${when.expression} }}\n---\n${yaml}{{- end }}\n`;
    })
    .join('');
}

function isAction(expression: string): boolean {
  return expression === endOfBlock || /^(if|range) /.test(expression);
}
