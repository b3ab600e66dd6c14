// SPDX-License-Identifier: Apache-2.0
// What becomes of a pod: the one decision that the webhook, the scan and their tests share. Pure.
import { printable } from '../printable.js';
import type { InjectableFile } from './files.js';
import { type Injection, injectView } from './injection.js';
import { type PatchOperation, setKeys } from './json-patch.js';
import { evictableVolumesKey, statusKey } from './names.js';
import { containerNames, type Pod } from './pod.js';
import { type FileSelection, readChoice, selectFiles } from './selection.js';
import { type Skip, skipPod } from './skip.js';

const maxListed = 32;

export interface ReviewOptions {
  /** The public tree on the nodes. */
  tree: string;
  /** The files that a pod gets which names none. */
  files: readonly InjectableFile[];
  /** Labels of nodes that have no view, "key=value"; the usual ones by default. */
  foreignNodes?: readonly string[];
}

/** What the namespace of a pod says. */
export interface NamespaceTraits {
  /** It asks for the view of all its pods. */
  isOptedIn: boolean;
  /** Its PodSecurity level refuses hostPath volumes. */
  isRestricted: boolean;
}

/** What became of an object, which is also a label of the webhook's counter. */
export type Result = 'injected' | 'unchanged' | 'skipped' | 'not_selected' | 'failed';

export interface Review {
  result: Result;
  /** Why it is not "injected", or what was left out; undefined when there is nothing to say. */
  reason?: string;
  patch: PatchOperation[];
  warnings: string[];
  /** Names of the containers that have the view, or will. */
  containers: string[];
}

/** A pod that is being created. */
export function reviewPod(pod: Pod, namespace: NamespaceTraits, options: ReviewOptions): Review {
  const choice = readChoice(pod.metadata);
  if (choice === false) return nothing('not_selected', 'opted out');
  const selection = selectFiles(pod.metadata, options.files, containerNames(pod.spec));
  if (choice === undefined && !namespace.isOptedIn) {
    // A value such as "yes" asks for nothing, and its author is to know.
    return { ...nothing('not_selected', 'not opted in'), warnings: problems(selection) };
  }
  const skip = skipPod(pod, namespace.isRestricted, options.foreignNodes);
  if (skip !== undefined) return skipped(pod, skip, selection);
  const found = injectView(pod, { tree: options.tree, selection });
  const evictable = withWords(pod.metadata?.annotations?.[evictableVolumesKey], found.volumes);
  return summarize(found, selection, (text) =>
    annotate(pod, {
      ...(found.volumes.length > 0 && { [evictableVolumesKey]: evictable }),
      [statusKey]: text,
    }),
  );
}

/** A running pod that gets ephemeral containers: it takes mounts of the volumes it was created with, and nothing else. */
export function reviewEphemeralContainers(
  pod: Pod,
  old: Pod | undefined,
  namespace: Pick<NamespaceTraits, 'isRestricted'>,
  options: ReviewOptions,
): Review {
  if (readChoice(pod.metadata) === false) return nothing('not_selected', 'opted out');
  const known = new Set(old?.spec.ephemeralContainers?.map(({ name }) => name));
  const names = (pod.spec.ephemeralContainers ?? []).map(({ name }) => name);
  const onlyEphemeral = new Set(names.filter((name) => !known.has(name)));
  if (onlyEphemeral.size === 0) return nothing('unchanged', 'no new ephemeral container');
  const selection = selectFiles(pod.metadata, options.files, containerNames(pod.spec));
  const skip = skipPod(pod, namespace.isRestricted, options.foreignNodes);
  if (skip !== undefined) return skipped(pod, { ...skip, mayAnnotate: false }, selection);
  const found = injectView(pod, { tree: options.tree, selection, onlyEphemeral });
  return summarize(found, selection, () => []);
}

function skipped(
  pod: Pod,
  { reason, mayAnnotate, hasView = false }: Skip,
  selection: FileSelection,
): Review {
  return {
    result: 'skipped',
    reason,
    patch: mayAnnotate ? annotate(pod, { [statusKey]: `skipped: ${reason}` }) : [],
    warnings: [
      ...(hasView ? [] : [`lensfs: no view for this pod: ${reason}`]),
      ...problems(selection),
    ],
    containers: [],
  };
}

function summarize(
  { patch, exceptions, containers }: Injection,
  selection: FileSelection,
  annotated: (text: string) => PatchOperation[],
): Review {
  const left = listed(exceptions);
  const warnings = [
    ...(left === '' ? [] : [`lensfs: not mounted: ${left}`]),
    ...problems(selection),
  ];
  if (containers.length === 0) {
    const reason = left === '' ? 'no files selected' : left;
    return {
      result: 'skipped',
      reason,
      patch: left === '' ? [] : annotated(`skipped: ${left}`),
      warnings,
      containers,
    };
  }
  const text = left === '' ? 'injected' : `injected, except ${left}`;
  const all = [...patch, ...annotated(text)];
  return {
    result: all.length > 0 ? 'injected' : 'unchanged',
    ...(left === '' ? {} : { reason: `except ${left}` }),
    patch: all,
    warnings,
    containers,
  };
}

/** Some of them, as an annotation and a warning have no room for thousands. */
function listed(texts: readonly string[]): string {
  const more = texts.length - maxListed;
  return [...texts.slice(0, maxListed).map(printable), ...(more > 0 ? [`${more} more`] : [])].join(
    ', ',
  );
}

function annotate({ metadata }: Pod, annotations: Record<string, string>): PatchOperation[] {
  if (metadata == null) return [{ op: 'add', path: '/metadata', value: { annotations } }];
  return setKeys(['metadata', 'annotations'], metadata.annotations, annotations);
}

/** A comma-separated list, with these in it. */
function withWords(text: string | undefined, words: readonly string[]): string {
  const there = (text ?? '').split(',').map((word) => word.trim());
  const missing = words.filter((word) => !there.includes(word));
  return [...(text === undefined || text === '' ? [] : [text]), ...missing].join(',');
}

function problems(selection: FileSelection): string[] {
  return selection.problems.slice(0, maxListed).map((problem) => `lensfs: ${problem}`);
}

/** No patch. */
export function nothing(result: Result, reason?: string): Review {
  return {
    result,
    ...(reason === undefined ? {} : { reason }),
    patch: [],
    warnings: [],
    containers: [],
  };
}
