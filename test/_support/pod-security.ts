// SPDX-License-Identifier: Apache-2.0
// Kubernetes' Pod Security Standard "restricted", as far as a pod of Linux can break it.
// Source: kubernetes.io/docs/concepts/security/pod-security-standards.

// biome-ignore lint/suspicious/noExplicitAny: pod specifications
type Json = any;

const volumeKinds = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral'],
  ...['persistentVolumeClaim', 'projected', 'secret'],
];

/** What a pod that is "restricted" must not have, by name; none when it has none of it. */
export function restrictedViolations(spec: Json): string[] {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const violations = [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((key) => spec[key] === true),
    ...(spec.volumes ?? []).flatMap(({ name, ...kind }: Json) =>
      Object.keys(kind).every((key) => volumeKinds.includes(key)) ? [] : [`volume ${name}`],
    ),
    ...(spec.securityContext?.sysctls?.length > 0 ? ['sysctls'] : []),
    ...containers.flatMap((container: Json) =>
      ofContainer(container, spec.securityContext ?? {}).map(
        (what) => `${container.name}: ${what}`,
      ),
    ),
  ];
  return violations.sort();
}

function ofContainer(container: Json, ofPod: Json): string[] {
  const own = container.securityContext ?? {};
  const seccomp = (own.seccompProfile ?? ofPod.seccompProfile)?.type;
  const broken: Record<string, boolean> = {
    privileged: own.privileged === true,
    procMount: (own.procMount ?? 'Default') !== 'Default',
    allowPrivilegeEscalation: own.allowPrivilegeEscalation !== false,
    runAsNonRoot: (own.runAsNonRoot ?? ofPod.runAsNonRoot) !== true,
    runAsUser: (own.runAsUser ?? ofPod.runAsUser) === 0,
    seccompProfile: !['RuntimeDefault', 'Localhost'].includes(seccomp),
    'capabilities.drop': !own.capabilities?.drop?.includes('ALL'),
    'capabilities.add': (own.capabilities?.add ?? []).some(
      (name: string) => name !== 'NET_BIND_SERVICE',
    ),
    hostPort: (container.ports ?? []).some(({ hostPort = 0 }: Json) => hostPort !== 0),
  };
  return Object.keys(broken).filter((name) => broken[name]);
}
