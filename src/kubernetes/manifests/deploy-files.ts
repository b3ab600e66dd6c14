// SPDX-License-Identifier: Apache-2.0
// The files of deploy/helm and deploy/kustomize, all made from the builders of manifests. Pure.
import { stringify } from 'yaml';
import { z } from '../../zod.js';
import { ownNamespace } from '../names.js';
import { chartInputs, type Expressions, knownInputs, shapeOf } from './inputs.js';
import { namespaceObject, type Part, parts, toTemplate, toYaml } from './render.js';
import { defaultValues, nestedDirectories, type Values, valuesSchema } from './values.js';

const made = '# Made by scripts/deploy-update from src/kubernetes/manifests; do not edit.\n';

/** Path below deploy/ -> text. */
export function deployFiles(version: string): Map<string, string> {
  return new Map([...chartFiles(version), ...kustomizeFiles(version)]);
}

function chartFiles(version: string): [path: string, text: string][] {
  const expressions: Expressions = [];
  const inputs = chartInputs(expressions);
  const templates = Object.entries(parts).map(([part, build]): [string, string] => [
    `helm/lensfs/templates/${part}.yaml`,
    toTemplate(build(inputs), expressions),
  ]);
  const schema = z.toJSONSchema(valuesSchema, { io: 'input', target: 'draft-7' });
  return [
    ['helm/lensfs/Chart.yaml', made + stringify(chart(version))],
    ['helm/lensfs/values.yaml', `${made}\n${valuesYaml(valuesSchema, defaultValues, '')}`],
    ['helm/lensfs/values.schema.json', `${JSON.stringify(withHelmsOwn(schema), null, 2)}\n`],
    ['helm/lensfs/templates/NOTES.txt', notes],
    ['helm/lensfs/templates/validate.yaml', validation],
    ...templates,
  ];
}

/** Helm puts keys of its own beside ours. */
function withHelmsOwn(schema: object): object {
  const { properties, ...rest } = schema as { properties: object };
  return { ...rest, properties: { ...properties, global: { type: 'object' } } };
}

function chart(version: string) {
  return {
    apiVersion: 'v2',
    name: 'lensfs',
    description: 'Truthful /proc files for containers',
    type: 'application',
    version,
    appVersion: version,
    kubeVersion: '>=1.30.0-0',
  };
}

const notes = `lensfs {{ .Chart.AppVersion }} is in namespace {{ .Release.Namespace }}.

{{ if .Values.agent.enabled -}}
Wait for the daemon on each node:
  kubectl --namespace {{ .Release.Namespace }} rollout status daemonset/lensfs-agent
{{- end }}
{{ if or .Values.webhook.enabled .Values.policy.enabled -}}
Give the view to all pods that are created in a namespace from now on:
  kubectl label namespace NAME lensfs.io/inject=enabled
{{- end }}
{{ if .Values.webhook.enabled -}}
See what became of a pod:
  kubectl get pod NAME --output jsonpath='{.metadata.annotations.lensfs\\.io/status}'
{{- end }}
`;

/** What the JSON schema cannot say. */
const validation = `{{- $parent := printf "%s/" (dir .Values.tree | trimSuffix "/") }}
{{- $runDir := printf "%s/" .Values.runDir }}
{{- if or (hasPrefix $parent $runDir) (hasPrefix $runDir $parent) }}
{{- fail "${nestedDirectories}" }}
{{- end }}
`;

/** A comment and a line for each key. */
function valuesYaml(schema: object, values: object, indent: string): string {
  return Object.entries(shapeOf(schema) ?? {})
    .map(([key, inner]) => {
      const value = (values as Record<string, unknown>)[key];
      const comment = `${indent}# ${(inner as z.ZodType).meta()?.description}\n`;
      if (shapeOf(inner) !== undefined) {
        return `${comment}${indent}${key}:\n${valuesYaml(inner, value as object, `${indent}  `)}`;
      }
      return `${comment}${indent}${key}: ${JSON.stringify(value)}\n`;
    })
    .join(indent === '' ? '\n' : '');
}

function kustomizeFiles(version: string): [path: string, text: string][] {
  const yaml = (part: Part, values: Values = defaultValues) => {
    const objects = parts[part](knownInputs(values, ownNamespace, version))
      .filter(({ when }) => when.holds)
      .map(({ object }) => object);
    return made + toYaml(objects);
  };
  const kustomization = (kind: 'Kustomization' | 'Component', resources: string[]) => {
    const apiVersion = `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`;
    return made + stringify({ apiVersion, kind, resources });
  };
  const { policy, runtimeClass } = defaultValues;
  return [
    [
      'kustomize/base/kustomization.yaml',
      kustomization('Kustomization', ['namespace.yaml', 'agent.yaml', 'webhook.yaml']),
    ],
    ['kustomize/base/namespace.yaml', made + toYaml([namespaceObject(ownNamespace)])],
    ['kustomize/base/agent.yaml', yaml('agent')],
    ['kustomize/base/webhook.yaml', yaml('webhook')],
    ['kustomize/policy/kustomization.yaml', kustomization('Component', ['policy.yaml'])],
    [
      'kustomize/policy/policy.yaml',
      yaml('policy', { ...defaultValues, policy: { ...policy, enabled: true } }),
    ],
    [
      'kustomize/runtimeclass/kustomization.yaml',
      kustomization('Component', ['runtimeclass.yaml']),
    ],
    [
      'kustomize/runtimeclass/runtimeclass.yaml',
      yaml('runtimeclass', { ...defaultValues, runtimeClass: { ...runtimeClass, enabled: true } }),
    ],
  ];
}
