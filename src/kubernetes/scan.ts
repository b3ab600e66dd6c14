// SPDX-License-Identifier: Apache-2.0
// YAML of a cluster -> what the webhook would make of each pod and workload in it, and why. Pure.
import { parseAllDocuments } from 'yaml';
import { z } from '../zod.js';
import { KubernetesError } from './kubernetes-error.js';
import { hostPathRefusingLevels, injectKey, podSecurityKey } from './names.js';
import { type Metadata, type Pod, podSchema } from './pod.js';
import { type NamespaceTraits, type Review, type ReviewOptions, reviewPod } from './pod-review.js';
import { parseWorkload, templateAnnotations, type Workload } from './workload.js';

export interface ScanOptions extends ReviewOptions {
  /** Labels of namespaces that are not in the text themselves. */
  namespaceLabels: Readonly<Record<string, string>>;
  /** Namespaces that the webhook never sees. */
  excludedNamespaces: readonly string[];
}

/** "has": a pod that exists and has the view; "gets": it would, when it is created (again); "unreadable": malformed. */
export type Verdict = 'has' | 'gets' | 'none' | 'unreadable';

export interface Finding {
  kind: string;
  namespace: string;
  name: string;
  verdict: Verdict;
  /** Containers with the view. */
  containers: readonly string[];
  /** Why not, what is left out, or what is wrong with the object. */
  reason?: string;
  warnings: readonly string[];
}

interface KubernetesObject {
  kind?: unknown;
  items?: unknown;
  metadata?: Metadata | null;
}

/** @throws KubernetesError "unreadable" for text that is no YAML or JSON */
export function scan(text: string, options: ScanOptions): Finding[] {
  const objects = parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error === undefined) return flatten(document.toJS());
    throw new KubernetesError('unreadable', `Not YAML: ${error.message.split('\n')[0]}`, error);
  });
  const namespaces = new Map(
    objects
      .filter(({ kind }) => kind === 'Namespace')
      .map(({ metadata }) => [metadata?.name ?? '', metadata?.labels ?? {}]),
  );
  const labelsOf = (name: string) => namespaces.get(name) ?? options.namespaceLabels;
  return objects.flatMap((object) => examine(object, labelsOf, options));
}

/** A List of kubectl's holds the objects. */
function flatten(value: unknown): KubernetesObject[] {
  if (typeof value !== 'object' || value === null) return [];
  const object = value as KubernetesObject;
  return Array.isArray(object.items) ? object.items.flatMap(flatten) : [object];
}

function examine(
  object: KubernetesObject,
  labelsOf: (namespace: string) => Readonly<Record<string, string>>,
  options: ScanOptions,
): Finding[] {
  const { kind, metadata } = object;
  const namespace = textOr('default', metadata?.namespace);
  const name = textOr('', metadata?.name ?? metadata?.generateName);
  const about = { kind: String(kind), namespace, name };
  const without = { containers: [], warnings: [] };
  const read = readPod(object);
  if (read === undefined) return [];
  if ('problem' in read) {
    return [{ ...about, ...without, verdict: 'unreadable', reason: read.problem }];
  }
  const hidden = hiddenBy(namespace, labelsOf(namespace), options);
  if (hidden !== undefined) return [{ ...about, ...without, verdict: 'none', reason: hidden }];
  const review = reviewPod(read.pod, traitsOf(labelsOf(namespace)), options);
  return [{ ...about, ...outcome(review, kind === 'Pod' && hasStarted(read.pod)) }];
}

/** The pod that an object is or makes, or what is wrong with it; undefined for an object of another kind. */
function readPod(object: KubernetesObject): { pod: Pod } | { problem: string } | undefined {
  try {
    if (object.kind === 'Pod') return { pod: podSchema.parse(object) };
    const workload = parseWorkload(object);
    return workload && { pod: podOf(workload) };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    return { problem: `${issue?.path.map(String).join('.')}: ${issue?.message}` };
  }
}

/** Names are not checked yet where an object turns out to be malformed. */
function textOr(fallback: string, value: unknown): string {
  return typeof value === 'string' ? value : fallback;
}

/** Why the webhook is not even called. */
function hiddenBy(
  namespace: string,
  labels: Readonly<Record<string, string>>,
  { excludedNamespaces }: ScanOptions,
): string | undefined {
  if (excludedNamespaces.includes(namespace)) return `namespace "${namespace}" is excluded`;
  if (labels[injectKey] === 'disabled') return `namespace "${namespace}" has opted out`;
  return undefined;
}

function traitsOf(labels: Readonly<Record<string, string>>): NamespaceTraits {
  const level = labels[podSecurityKey];
  return {
    isOptedIn: labels[injectKey] === 'enabled',
    isRestricted: hostPathRefusingLevels.some((refusing) => refusing === level),
  };
}

/** The pod that a workload makes, with the annotations that the webhook hands to the template. */
function podOf(workload: Workload): Pod {
  const { metadata, spec } = workload.template;
  const annotations = { ...metadata?.annotations, ...templateAnnotations(workload) };
  return { metadata: { ...metadata, annotations }, spec };
}

/** Text from a cluster has a status; text that is to be applied has none. */
function hasStarted(pod: Pod): boolean {
  return 'status' in pod;
}

function outcome(review: Review, isRunning: boolean) {
  const { result, reason, containers, warnings, patch } = review;
  const mounts = patch.some(({ path }) => path.startsWith('/spec/'));
  const gets = result === 'injected' && containers.length > 0;
  const has = result === 'unchanged' || (gets && !mounts);
  const verdict: Verdict = has ? 'has' : gets ? 'gets' : 'none';
  const again = isRunning && verdict === 'gets' ? 'when it is created again' : undefined;
  const text = [reason, again].filter((part) => part !== undefined).join('; ');
  return { verdict, containers, warnings, ...(text !== '' && { reason: text }) };
}
