// SPDX-License-Identifier: Apache-2.0
// YAML of a cluster -> what the webhook would make of each pod and workload in it, and why. Pure.
import { parseAllDocuments } from 'yaml';
import { KubernetesError } from './kubernetes-error.js';
import { hostPathRefusingLevels, injectKey, podSecurityKey } from './names.js';
import { type Metadata, type Pod, podSchema } from './pod.js';
import { type NamespaceTraits, type Review, type ReviewOptions, reviewPod } from './pod-review.js';
import { readWorkload, templateAnnotations, type Workload } from './workload.js';

export interface ScanOptions extends ReviewOptions {
  /** Labels of namespaces that are not in the text themselves. */
  namespaceLabels: Readonly<Record<string, string>>;
  /** Namespaces that the webhook never sees. */
  excludedNamespaces: readonly string[];
}

/** "has": a pod that exists and has the view; "gets": it would, when it is created (again). */
export type Verdict = 'has' | 'gets' | 'none';

export interface Finding {
  kind: string;
  namespace: string;
  name: string;
  verdict: Verdict;
  /** Containers with the view. */
  containers: readonly string[];
  /** Why not, or what is left out. */
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
  const pod = object.kind === 'Pod' ? podSchema.safeParse(object) : undefined;
  const workload = readWorkload(object);
  if (pod?.success === false) throw malformed(object, pod.error.issues[0]);
  const found = pod?.data ?? (workload && podOf(workload));
  if (found === undefined) return [];
  const metadata = (pod?.data ?? workload)?.metadata;
  const namespace = metadata?.namespace ?? 'default';
  const about = {
    kind: String(object.kind),
    namespace,
    name: metadata?.name ?? metadata?.generateName ?? '',
  };
  const hidden = hiddenBy(namespace, labelsOf(namespace), options);
  if (hidden !== undefined) {
    return [{ ...about, verdict: 'none', containers: [], reason: hidden, warnings: [] }];
  }
  const review = reviewPod(found, traitsOf(labelsOf(namespace)), options);
  return [{ ...about, ...outcome(review, pod !== undefined && hasStarted(found)) }];
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

function malformed(
  { kind, metadata }: KubernetesObject,
  issue: { path: PropertyKey[]; message: string } | undefined,
): KubernetesError {
  const where = `${String(kind)} "${metadata?.name ?? ''}"`;
  const what = `${issue?.path.map(String).join('.')}: ${issue?.message}`;
  return new KubernetesError('unreadable', `${where}: ${what}`);
}
