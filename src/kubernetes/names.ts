// SPDX-License-Identifier: Apache-2.0
// The labels and annotations lensfs reads and writes in a cluster, and the names of its own objects.

/** Label of namespaces and pods, annotation of pods and workloads: "enabled" or "disabled". */
export const injectKey = 'lensfs.io/inject';

/** Annotation: which files, for all containers: "all", "none" or names such as "meminfo, cpuinfo". */
export const filesKey = 'lensfs.io/files';

/** Annotation: the same for one container, whose name is appended. */
export const containerFilesPrefix = 'files.lensfs.io/';

/** Annotation that says what became of a pod. */
export const statusKey = 'lensfs.io/status';

/** Annotation of the lxcfs initializer: any value but "false" asks for the files. */
export const legacyKey = 'initializer.kubernetes.io/lxcfs';

/** Label of nodes on which the agent serves. */
export const nodeReadyLabel = 'lensfs.io/ready';

/** Taint of nodes on which the agent does not serve yet. */
export const startupTaint = 'lensfs.io/agent-not-ready';

/** Label of namespaces that says what the PodSecurity admission enforces there. */
export const podSecurityKey = 'pod-security.kubernetes.io/enforce';

/** Levels of PodSecurity that refuse hostPath volumes. */
export const hostPathRefusingLevels = ['baseline', 'restricted'] as const;

/** Namespaces whose pods must never depend on lensfs; its own is one more. */
export const systemNamespaces = ['kube-system', 'kube-public', 'kube-node-lease'] as const;

/** Annotation of pods: the volumes that keep no autoscaler from taking their node away. */
export const evictableVolumesKey = 'cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes';

/** Where lensfs is installed when nobody says otherwise. */
export const ownNamespace = 'lensfs-system';

/** The name of the runtime class whose pods have pinned views without a volume. */
export const runtimeClassName = 'lensfs';

/** Name of the webhook's Deployment, Service, configuration, certificate Secret and roles. */
export const injectorName = 'lensfs-injector';

/** Name of the agent's DaemonSet and roles. */
export const agentName = 'lensfs-agent';

/** Name of the Secret with the webhook's certificate. */
export const certificateSecretName = 'lensfs-injector-tls';

/** Where a webhook configuration sends what: who has asked for the view, and whether hostPath is allowed there. */
export const admissionPaths = {
  namespace: '/mutate/pods/namespace',
  pod: '/mutate/pods/pod',
  namespaceRestricted: '/mutate/pods/namespace/restricted',
  podRestricted: '/mutate/pods/pod/restricted',
  workload: '/mutate/workloads',
} as const;
