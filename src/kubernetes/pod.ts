// SPDX-License-Identifier: Apache-2.0
// The parts of Kubernetes objects that decide about the view; everything else passes through untouched.
import { z } from '../zod.js';

const stringMap = z.record(z.string(), z.string());

const metadata = z.looseObject({
  name: z.string().nullish(),
  generateName: z.string().nullish(),
  namespace: z.string().nullish(),
  labels: stringMap.nullish(),
  annotations: stringMap.nullish(),
  ownerReferences: z.array(z.looseObject({ controller: z.boolean().nullish() })).nullish(),
});

const volumeMount = z.looseObject({ name: z.string(), mountPath: z.string() });

const container = z.looseObject({
  name: z.string(),
  volumeMounts: z.array(volumeMount).nullish(),
  securityContext: z.looseObject({ procMount: z.string().nullish() }).nullish(),
});

const volume = z.looseObject({
  name: z.string(),
  hostPath: z.looseObject({ path: z.string() }).nullish(),
});

const nodeSelectorTerm = z.looseObject({
  matchExpressions: z
    .array(
      z.looseObject({
        key: z.string(),
        operator: z.string(),
        values: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

const nodeAffinity = z.looseObject({
  requiredDuringSchedulingIgnoredDuringExecution: z
    .looseObject({ nodeSelectorTerms: z.array(nodeSelectorTerm).nullish() })
    .nullish(),
});

const podSpec = z.looseObject({
  containers: z.array(container).nullish(),
  initContainers: z.array(container).nullish(),
  ephemeralContainers: z.array(container).nullish(),
  volumes: z.array(volume).nullish(),
  hostPID: z.boolean().nullish(),
  hostUsers: z.boolean().nullish(),
  runtimeClassName: z.string().nullish(),
  schedulerName: z.string().nullish(),
  nodeSelector: stringMap.nullish(),
  affinity: z.looseObject({ nodeAffinity: nodeAffinity.nullish() }).nullish(),
  os: z.looseObject({ name: z.string() }).nullish(),
});

export const podSchema = z.looseObject({ metadata: metadata.nullish(), spec: podSpec });

const template = z.looseObject({ metadata: metadata.nullish(), spec: podSpec });

/** An object that makes pods from a template: Deployment, Job and so on. */
export const workloadSchema = z.looseObject({
  kind: z.string(),
  metadata,
  spec: z.looseObject({ template }),
});

export const cronJobSchema = z.looseObject({
  kind: z.literal('CronJob'),
  metadata,
  spec: z.looseObject({ jobTemplate: z.looseObject({ spec: z.looseObject({ template }) }) }),
});

export type Metadata = z.output<typeof metadata>;
export type Container = z.output<typeof container>;
export type Volume = z.output<typeof volume>;
export type Pod = z.output<typeof podSchema>;
export type PodSpec = z.output<typeof podSpec>;

/** The lists of containers in the order they start. */
export const containerLists = ['initContainers', 'containers', 'ephemeralContainers'] as const;

export function containerNames(spec: PodSpec): string[] {
  return containerLists.flatMap((list) => (spec[list] ?? []).map(({ name }) => name));
}

export type ContainerList = (typeof containerLists)[number];

/** What people call a pod: its name, or the beginning of the name it will get. */
export function displayName({ metadata }: Pod): string {
  return (
    metadata?.name ?? (metadata?.generateName ? `${metadata.generateName}*` : 'without a name')
  );
}
