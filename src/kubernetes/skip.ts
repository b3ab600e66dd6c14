// SPDX-License-Identifier: Apache-2.0
// Pods and containers that must be left as they are, and why. Pure.
import { podSecurityKey, runtimeClassName } from './names.js';
import { type Container, containerLists, type Pod } from './pod.js';

/** What names of runtime classes begin with whose pods have a kernel of their own: a bind of the node's FUSE file is not theirs, or breaks them. */
export const foreignKernelNames = [
  ...['kata', 'gvisor', 'runsc', 'sysbox', 'firecracker', 'krun', 'quark'],
] as const;

/** The same of those that run WebAssembly, which has no /proc. */
export const wasmNames = ['wasm', 'spin', 'slight', 'wws', 'lunatic'] as const;

const foreignKernels = new RegExp(`^(${foreignKernelNames.join('|')})`, 'i');
const wasm = new RegExp(`^(${wasmNames.join('|')})`, 'i');

/** The kubelet's, at what stands for a pod that it has read from a file. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Labels of nodes that have no agent, or refuse hostPath volumes. */
export const defaultForeignNodes: readonly string[] = [
  'kubernetes.io/os=windows',
  'beta.kubernetes.io/os=windows',
  'type=virtual-kubelet',
  'eks.amazonaws.com/compute-type=fargate',
];

/** What one may look like: a label's key and value, in the characters that Kubernetes allows. */
export const foreignNodeLabel = /^[\w./-]+=[\w.-]*$/;

/** By these AWS marks a pod that it takes to a machine of its own. */
export const fargate = {
  label: 'eks.amazonaws.com/fargate-profile',
  scheduler: 'fargate-scheduler',
} as const;

/** A node runs some hundred pods; each container costs a piece of the patch for each file. */
const maxContainers = 512;

export interface Skip {
  reason: string;
  /** False for objects that nobody may change at all. */
  mayAnnotate: boolean;
  /** It has the view by another way: nobody is to be warned. */
  hasView?: boolean;
}

/** Why a pod gets nothing; undefined when it may have the view. `foreignNodes` are labels, each "key=value". */
export function skipPod(
  pod: Pod,
  isRestricted: boolean,
  foreignNodes: readonly string[] = defaultForeignNodes,
): Skip | undefined {
  if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    return { reason: 'a mirror of a static pod', mayAnnotate: false };
  }
  const reason = reasonOf(pod, isRestricted, foreignNodes);
  if (reason !== undefined) return { reason, mayAnnotate: true };
  if (pod.spec.runtimeClassName !== runtimeClassName) return undefined;
  return {
    reason: `runtime class "${runtimeClassName}" brings the view`,
    mayAnnotate: true,
    hasView: true,
  };
}

function reasonOf(
  { metadata, spec }: Pod,
  isRestricted: boolean,
  foreignNodes: readonly string[],
): string | undefined {
  const count = containerLists.reduce((sum, list) => sum + (spec[list]?.length ?? 0), 0);
  if (count > maxContainers) return `${count} containers, more than ${maxContainers}`;
  if (spec.os?.name === 'windows') return 'Windows';
  const node = foreignNode(spec, foreignNodes);
  if (node !== undefined) return `asks for nodes with ${node}`;
  const isFargate =
    metadata?.labels?.[fargate.label] !== undefined || spec.schedulerName === fargate.scheduler;
  if (isFargate) return 'Fargate refuses hostPath volumes';
  if (spec.hostPID === true) return "hostPID: its processes are the node's";
  // The kubelet maps the ids of every volume of such a pod, which FUSE before Linux 6.12 and procfs refuse.
  if (spec.hostUsers === false)
    return 'hostUsers: false needs ids mapped, which FUSE and procfs refuse';
  const runtime = spec.runtimeClassName ?? '';
  if (foreignKernels.test(runtime)) return `runtime class "${runtime}" has a kernel of its own`;
  if (wasm.test(runtime)) return `runtime class "${runtime}" runs WebAssembly`;
  if (isRestricted && runtime !== runtimeClassName)
    return `${podSecurityKey} of the namespace forbids hostPath volumes`;
  return undefined;
}

/** The label by which a pod asks for foreign nodes, and for no others. */
function foreignNode(spec: Pod['spec'], foreignNodes: readonly string[]): string | undefined {
  const selected = Object.entries(spec.nodeSelector ?? {}).map(([key, value]) => `${key}=${value}`);
  const found = selected.find((label) => foreignNodes.includes(label));
  if (found !== undefined) return found;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // One term that other nodes match is enough for the pod to get there.
  const labels = (required?.nodeSelectorTerms ?? []).map(({ matchExpressions }) =>
    (matchExpressions ?? [])
      .filter(({ operator }) => operator === 'In')
      .map(({ key, values }) => (values ?? []).map((value) => `${key}=${value}`))
      .find((each) => each.length > 0 && each.every((label) => foreignNodes.includes(label))),
  );
  return labels.includes(undefined) ? undefined : labels[0]?.[0];
}

/** Why one container gets nothing. */
export function skipContainer(container: Container): string | undefined {
  // It is meant to mount /proc in a nested container, which the kernel refuses once a file of it is covered.
  return container.securityContext?.procMount === 'Unmasked' ? 'procMount Unmasked' : undefined;
}
