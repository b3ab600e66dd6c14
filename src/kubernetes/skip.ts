// SPDX-License-Identifier: Apache-2.0
// Pods and containers that must be left as they are, and why. Pure.
import { podSecurityKey, runtimeClassName } from './names.js';
import { type Container, containerLists, type Pod } from './pod.js';

/** What names of runtime classes begin with whose pods have a kernel of their own: a bind of the node's FUSE file is not theirs, or breaks them. */
export const foreignKernelNames = ['kata', 'gvisor', 'runsc', 'sysbox'] as const;

const foreignKernels = new RegExp(`^(${foreignKernelNames.join('|')})`, 'i');

/** The kubelet's, at what stands for a pod that it has read from a file. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** Label of nodes, which a pod's nodeSelector may name. */
export const nodeOsLabel = 'kubernetes.io/os';

/** A node runs some hundred pods; each container costs a piece of the patch for each file. */
const maxContainers = 512;

export interface Skip {
  reason: string;
  /** False for objects that nobody may change at all. */
  mayAnnotate: boolean;
}

/** Why a pod gets nothing; undefined when it may have the view. */
export function skipPod(pod: Pod, isRestricted: boolean): Skip | undefined {
  const { metadata, spec } = pod;
  if (metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    return { reason: 'a mirror of a static pod', mayAnnotate: false };
  }
  const reason = reasonOf(spec, isRestricted);
  return reason === undefined ? undefined : { reason, mayAnnotate: true };
}

function reasonOf(spec: Pod['spec'], isRestricted: boolean): string | undefined {
  const count = containerLists.reduce((sum, list) => sum + (spec[list]?.length ?? 0), 0);
  if (count > maxContainers) return `${count} containers, more than ${maxContainers}`;
  const os = spec.os?.name ?? spec.nodeSelector?.[nodeOsLabel];
  if (os === 'windows') return 'Windows';
  if (spec.hostPID === true) return "hostPID: its processes are the node's";
  // The kubelet maps the ids of every volume of such a pod, which FUSE before Linux 6.12 and procfs refuse.
  if (spec.hostUsers === false)
    return 'hostUsers: false needs ids mapped, which FUSE and procfs refuse';
  const runtime = spec.runtimeClassName ?? '';
  if (runtime === runtimeClassName) return `runtime class "${runtime}" brings the view`;
  if (foreignKernels.test(runtime)) return `runtime class "${runtime}" has a kernel of its own`;
  if (isRestricted) return `${podSecurityKey} of the namespace forbids hostPath volumes`;
  return undefined;
}

/** Why one container gets nothing. */
export function skipContainer(container: Container): string | undefined {
  // It is meant to mount /proc in a nested container, which the kernel refuses once a file of it is covered.
  return container.securityContext?.procMount === 'Unmasked' ? 'procMount Unmasked' : undefined;
}
