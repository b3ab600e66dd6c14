// SPDX-License-Identifier: Apache-2.0
// What the builders of manifests work on: values that are known now, or that Helm will know later. Pure.
//
// For a chart every leaf is a token such as "@@3@@" that stands for a template expression. Builders therefore only put
// leaves into place or into strings; whatever depends on a value is a derived leaf or a condition, made here.
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { type Values, valuesSchema } from './values.js';

export interface Condition {
  /** As Helm writes it, such as `.Values.agent.enabled`. */
  expression: string;
  holds: boolean;
}

export interface Inputs {
  values: Values;
  /** Where it is installed. */
  namespace: string;
  image: string;
  version: string;
  /** "self-managed" or "files", the webhook's --tls. */
  webhookTls: string;
  /** The directory that the tree's mount point is in. */
  treeParent: string;
  /** Comma-separated. */
  fileNames: string;
  /** A list in CEL. */
  fileList: string;
  /** Labels "key=value", comma-separated. */
  foreignNodes: string;
  /** The same as a list in CEL. */
  foreignNodeList: string;
  /** Comma-separated. */
  clientNames: string;
  mountServiceAccountToken: boolean;
  /** The daemon's configuration, JSON, which is also YAML. */
  config: string;
  configHash: string;
  /** The webhook's own and the excluded namespaces. */
  excludedNamespaces: string[];
  when: (name: ConditionName) => Condition;
  /** A list of the item, or of nothing. */
  itemWhen: <T>(name: ConditionName, item: T) => T[];
  /** A list with an item for each element, which is all that the item may depend on. */
  itemForEach: <E, T>(elements: readonly E[], item: (element: E) => T) => T[];
}

const conditions = {
  agent: [(v: Values) => v.agent.enabled, '.Values.agent.enabled'],
  agentAlone: [
    (v: Values) => v.agent.enabled && !v.node.enabled,
    'and .Values.agent.enabled (not .Values.node.enabled)',
  ],
  node: [
    (v: Values) => v.agent.enabled && v.node.enabled,
    'and .Values.agent.enabled .Values.node.enabled',
  ],
  webhook: [(v: Values) => v.webhook.enabled, '.Values.webhook.enabled'],
  workloads: [(v: Values) => v.webhook.workloads, '.Values.webhook.workloads'],
  disruptionBudget: [
    (v: Values) => v.webhook.enabled && v.webhook.podDisruptionBudget,
    'and .Values.webhook.enabled .Values.webhook.podDisruptionBudget',
  ],
  networkPolicy: [
    (v: Values) => v.webhook.enabled && v.webhook.networkPolicy,
    'and .Values.webhook.enabled .Values.webhook.networkPolicy',
  ],
  clientCa: [
    (v: Values) => v.webhook.clientCaConfigMap !== '',
    '.Values.webhook.clientCaConfigMap',
  ],
  serviceMonitor: [
    (v: Values) => v.webhook.enabled && v.webhook.serviceMonitor,
    'and .Values.webhook.enabled .Values.webhook.serviceMonitor',
  ],
  selfManaged: [
    (v: Values) => v.webhook.enabled && v.tls.mode === 'self-managed',
    'and .Values.webhook.enabled (eq .Values.tls.mode "self-managed")',
  ],
  certManager: [
    (v: Values) => v.webhook.enabled && v.tls.mode === 'cert-manager',
    'and .Values.webhook.enabled (eq .Values.tls.mode "cert-manager")',
  ],
  existingSecret: [
    (v: Values) => v.webhook.enabled && v.tls.mode === 'existing-secret',
    'and .Values.webhook.enabled (eq .Values.tls.mode "existing-secret")',
  ],
  policy: [(v: Values) => v.policy.enabled, '.Values.policy.enabled'],
  runtimeClass: [(v: Values) => v.runtimeClass.enabled, '.Values.runtimeClass.enabled'],
} as const satisfies Record<string, readonly [(values: Values) => boolean, string]>;

export type ConditionName = keyof typeof conditions;

export const conditionNames = Object.keys(conditions) as ConditionName[];

/** Inputs for manifests that are printed now. */
export function knownInputs(values: Values, namespace: string, version: string): Inputs {
  return {
    values,
    namespace,
    version,
    image: `${values.image.repository}:${values.image.tag || version}`,
    webhookTls: values.tls.mode === 'self-managed' ? 'self-managed' : 'files',
    treeParent: posix.dirname(values.tree),
    fileNames: values.files.join(','),
    fileList: `['${values.files.join("','")}']`,
    foreignNodes: values.foreignNodes.join(','),
    foreignNodeList: `['${values.foreignNodes.join("','")}']`,
    clientNames: values.webhook.clientNames.join(','),
    mountServiceAccountToken: values.tls.mode === 'self-managed',
    config: sortedJson(values.agent.config),
    configHash: createHash('sha256').update(sortedJson(values.agent.config)).digest('hex'),
    excludedNamespaces: [...values.webhook.excludedNamespaces, namespace],
    when: (name) => ({ expression: conditions[name][1], holds: conditions[name][0](values) }),
    itemWhen: (name, item) => (conditions[name][0](values) ? [item] : []),
    itemForEach: (elements, item) => elements.map(item),
  };
}

/** What closes the items of a list that an `if` or a `range` stands before. */
export const endOfBlock = 'end';

/** The expressions behind the tokens, by number. */
export type Expressions = string[];

/** Inputs for the templates of a chart. */
export function chartInputs(expressions: Expressions): Inputs {
  // Typed as what it stands for: builders treat both kinds of inputs alike.
  const token = <T>(expression: string): T => {
    expressions.push(expression);
    return `@@${expressions.length - 1}@@` as T;
  };
  const block = <T>(action: string, item: T): T[] => [token<T>(action), item, token<T>(endOfBlock)];
  const leaves = (schema: object, path: string): unknown => {
    const shape = shapeOf(schema);
    if (shape === undefined) return token(path);
    const entries = Object.entries(shape).map(([key, inner]) => [
      key,
      leaves(inner, `${path}.${key}`),
    ]);
    return Object.fromEntries(entries);
  };
  return {
    values: leaves(valuesSchema, '.Values') as Values,
    namespace: token('.Release.Namespace'),
    version: token('.Chart.AppVersion'),
    image: token(
      'printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion)',
    ),
    webhookTls: token('ternary "self-managed" "files" (eq .Values.tls.mode "self-managed")'),
    treeParent: token('dir .Values.tree'),
    fileNames: token('join "," .Values.files'),
    fileList: token(`printf "['%s']" (join "','" .Values.files)`),
    foreignNodes: token('join "," .Values.foreignNodes'),
    foreignNodeList: token(`printf "['%s']" (join "','" .Values.foreignNodes)`),
    clientNames: token('join "," .Values.webhook.clientNames'),
    mountServiceAccountToken: token('eq .Values.tls.mode "self-managed"'),
    config: token('toJson .Values.agent.config'),
    configHash: token('toJson .Values.agent.config | sha256sum'),
    excludedNamespaces: token('append .Values.webhook.excludedNamespaces .Release.Namespace'),
    when: (name) => ({ expression: conditions[name][1], holds: true }),
    itemWhen: (name, item) => block(`if ${conditions[name][1]}`, item),
    itemForEach: (elements, item) =>
      block(`range ${expressionOf(elements, expressions)}`, item(token('.'))),
  };
}

/** What a leaf of a chart stands for. */
function expressionOf(leaf: unknown, expressions: Expressions): string {
  return expressions[Number(String(leaf).replaceAll('@', ''))] ?? '';
}

/** The keys of a section; undefined for a leaf. */
export function shapeOf(schema: object): Record<string, object> | undefined {
  const inner =
    'unwrap' in schema && typeof schema.unwrap === 'function' ? schema.unwrap() : schema;
  if (typeof inner !== 'object' || inner === null || !('shape' in inner)) return undefined;
  return inner.shape as Record<string, object>;
}

/** As Helm's toJson prints it: keys in order. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
