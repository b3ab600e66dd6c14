// SPDX-License-Identifier: Apache-2.0
// The example of the lxcfs initializer, from the annotated Deployment to the mounts of its pod.
import { expect, test } from 'vitest';
import { review } from '../../src/kubernetes/admission.js';
import { injectableFiles } from '../../src/kubernetes/files.js';
import { admissionPaths } from '../../src/kubernetes/names.js';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import { container, type Json } from './fixtures/fixture.js';
import { web } from './fixtures/workloads.js';

const options = { tree: '/var/lib/lensfs', files: injectableFiles };

async function admit(
  path: (typeof admissionPaths)[keyof typeof admissionPaths],
  object: Json,
): Promise<Json> {
  const request = { uid: 'u', operation: 'CREATE', object, oldObject: null };
  return await patchWithKubectl(object, review(path, request, options).patch);
}

/** The lines that `kubectl describe pod` prints below "Mounts:". */
function describeMounts(pod: Json): string[] {
  const { volumeMounts } = pod.spec.containers[0];
  return volumeMounts
    .map((mount: Json) => `${mount.mountPath} from ${mount.name} (${mount.readOnly ? 'ro' : 'rw'})`)
    .sort();
}

test('An annotated Deployment ends with pods that have the mounts', async () => {
  const deployment = await admit(admissionPaths.workload, web);
  // What the controllers and the service account admission make of the template.
  const { metadata, spec } = deployment.spec.template;
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: 'web-7c5464f6b9-6zxdf', namespace: 'default' },
    spec: { ...spec, containers: [container('web', spec.containers[0])] },
  };
  pod.spec.containers[0].volumeMounts = [
    {
      name: 'kube-api-access-x7k2p',
      readOnly: true,
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
    },
  ];
  const admitted = await admit(admissionPaths.pod, pod);
  const lines = describeMounts(admitted);
  // Those of the initializer …
  for (const file of ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime']) {
    expect(lines).toContain(`/proc/${file} from lensfs-proc-${file} (ro)`);
  }
  // … and all there are.
  expect(lines).toEqual([
    '/proc/cpuinfo from lensfs-proc-cpuinfo (ro)',
    '/proc/diskstats from lensfs-proc-diskstats (ro)',
    '/proc/loadavg from lensfs-proc-loadavg (ro)',
    '/proc/meminfo from lensfs-proc-meminfo (ro)',
    '/proc/slabinfo from lensfs-proc-slabinfo (ro)',
    '/proc/stat from lensfs-proc-stat (ro)',
    '/proc/swaps from lensfs-proc-swaps (ro)',
    '/proc/uptime from lensfs-proc-uptime (ro)',
    '/sys/devices/system/cpu from lensfs-sys-devices-system-cpu (ro)',
    '/var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-x7k2p (ro)',
  ]);
  expect(admitted.spec.containers[0].resources).toEqual(
    web.spec.template.spec.containers[0].resources,
  );
});
