// SPDX-License-Identifier: Apache-2.0
// Workloads that carry the annotations themselves: these go to the pod template, whose pods the webhook then sees. Pure.
import { z } from '../zod.js';
import { injectableFiles } from './files.js';
import { type PatchOperation, pointer, removeKeys, setKeys } from './json-patch.js';
import { containerFilesPrefix, filesKey, injectKey } from './names.js';
import {
  containerNames,
  cronJobSchema,
  type Metadata,
  type PodSpec,
  workloadSchema,
} from './pod.js';
import { nothing, type Review } from './pod-review.js';
import { readChoice, selectFiles } from './selection.js';

/** Kinds with a pod template, and whether it may change once they exist. */
export const workloadKinds: Readonly<Record<string, { mayUpdate: boolean }>> = {
  CronJob: { mayUpdate: true },
  DaemonSet: { mayUpdate: true },
  Deployment: { mayUpdate: true },
  Job: { mayUpdate: false },
  ReplicaSet: { mayUpdate: false },
  ReplicationController: { mayUpdate: false },
  StatefulSet: { mayUpdate: true },
};

export interface Workload {
  kind: string;
  metadata: Metadata;
  template: { metadata?: Metadata | null | undefined; spec: PodSpec };
  /** Where the template is. */
  path: readonly string[];
}

/** Whether an object is of one of these kinds, well-formed or not. */
function isWorkload(object: unknown): boolean {
  if (typeof object !== 'object' || object === null || !('kind' in object)) return false;
  return typeof object.kind === 'string' && Object.hasOwn(workloadKinds, object.kind);
}

/** A well-formed workload; undefined for an object of another kind; @throws ZodError */
export function parseWorkload(object: unknown): Workload | undefined {
  if (!isWorkload(object)) return undefined;
  if ((object as { kind: string }).kind === 'CronJob') {
    const { kind, metadata, spec } = cronJobSchema.parse(object);
    const path = ['spec', 'jobTemplate', 'spec', 'template'];
    return { kind, metadata, template: spec.jobTemplate.spec.template, path };
  }
  const { kind, metadata, spec } = workloadSchema.parse(object);
  return { kind, metadata, template: spec.template, path: ['spec', 'template'] };
}

/** The annotations that a workload hands to its template. */
export function templateAnnotations({ metadata, template }: Workload): Record<string, string> {
  // What a controller makes carries copies of its owner's annotations, and the owner's template.
  if (metadata.ownerReferences?.some(({ controller }) => controller === true)) return {};
  const own = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => key === injectKey || key === filesKey || key.startsWith(containerFilesPrefix),
  );
  const choice = readChoice({ annotations: metadata.annotations });
  const asks = choice !== undefined && readChoice(template.metadata) === undefined;
  return {
    ...Object.fromEntries(own),
    ...(asks ? { [injectKey]: choice ? 'enabled' : 'disabled' } : {}),
  };
}

/** A workload that is being created or changed; @throws ZodError for one that is malformed */
export function reviewWorkload(object: unknown, operation: string, oldObject?: unknown): Review {
  const workload = parseWorkload(object);
  if (workload === undefined) return nothing('not_selected', 'no workload');
  if (operation !== 'CREATE' && workloadKinds[workload.kind]?.mayUpdate !== true) {
    return nothing('not_selected', `the template of a ${workload.kind} cannot change`);
  }
  const wanted = templateAnnotations(workload);
  const patch = [
    ...annotate(workload, wanted),
    ...takeAway(workload, withdrawn(oldObject, workload, wanted)),
  ];
  const { metadata, template } = workload;
  const { annotations } = metadata;
  const names = containerNames(template.spec);
  const { problems } = selectFiles({ annotations }, injectableFiles, names);
  const warnings = problems.map((problem) => `lensfs: ${problem}`);
  return { ...nothing(patch.length > 0 ? 'injected' : 'unchanged'), patch, warnings };
}

/** Annotations that the template has from the workload as it was, and the workload has no more. */
function withdrawn(
  oldObject: unknown,
  { template }: Workload,
  wanted: Readonly<Record<string, string>>,
): string[] {
  let old: Workload | undefined;
  try {
    old = parseWorkload(oldObject);
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
  }
  if (old === undefined) return [];
  // As if its template had none: what it was given, and not what it has by itself.
  const given = templateAnnotations({ ...old, template: { ...old.template, metadata: undefined } });
  return Object.entries(given)
    .filter(([key, value]) => template.metadata?.annotations?.[key] === value)
    .filter(([key]) => !Object.hasOwn(wanted, key))
    .map(([key]) => key);
}

function takeAway({ template, path }: Workload, keys: readonly string[]): PatchOperation[] {
  return removeKeys([...path, 'metadata', 'annotations'], template.metadata?.annotations, keys);
}

function annotate(
  { template, path }: Workload,
  annotations: Record<string, string>,
): PatchOperation[] {
  if (Object.keys(annotations).length === 0) return [];
  if (template.metadata == null) {
    return [{ op: 'add', path: pointer(...path, 'metadata'), value: { annotations } }];
  }
  return setKeys([...path, 'metadata', 'annotations'], template.metadata.annotations, annotations);
}
