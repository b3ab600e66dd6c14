// SPDX-License-Identifier: Apache-2.0
// The example of the lxcfs initializer, from the annotated Deployment to what `kubectl describe pod` prints: the built
// webhook over HTTPS, and kubectl with its own eyes.
import { expect } from 'vitest';
import { admissionPaths } from '../../src/kubernetes/names.js';
import { ApiServer } from '../_support/api-server.js';
import { describeWithKubectl, patchWithKubectl } from '../_support/kubernetes-tools.js';
import { program } from '../_support/lensfs.js';
import { built, command, testWith } from '../_support/requirements.js';
import { RunningWebhook } from '../_support/webhook.js';
import { container, type Json, reviewOf } from './fixtures/fixture.js';
import { web } from './fixtures/workloads.js';

const test = testWith(built(program), command('python3'));

/** What becomes of an object that the API server shows the webhook. */
async function admit(webhook: RunningWebhook, path: string, object: Json): Promise<Json> {
  const reply = await webhook.post(path, reviewOf(object));
  expect(reply.status).toBe(200);
  const { response } = JSON.parse(reply.text);
  expect(response).toMatchObject({ uid: 'u', allowed: true, patchType: 'JSONPatch' });
  const patch = JSON.parse(Buffer.from(response.patch, 'base64').toString());
  return await patchWithKubectl(object, patch);
}

/** The lines below a heading of a description, without their indentation. */
function linesBelow(heading: string, description: string): string[] {
  const lines = description.split('\n');
  const first = lines.findIndex((line) => line.trim() === heading) + 1;
  const indentOf = (line = '') => line.search(/\S|$/);
  const rest = lines.slice(first);
  const count = rest.findIndex((line) => indentOf(line) < indentOf(rest[0]));
  return rest.slice(0, count).map((line) => line.trim());
}

test('An annotated Deployment ends with pods that kubectl describes with the mounts', async () => {
  await using webhook = await RunningWebhook.start();
  const deployment = await admit(webhook, admissionPaths.workload, web);
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
  const admitted = await admit(webhook, admissionPaths.pod, pod);
  await using api = await ApiServer.start();
  const description = await describeWithKubectl(api, admitted);
  const mounts = linesBelow('Mounts:', description);
  // Those of the initializer …
  for (const file of ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime']) {
    expect(mounts).toContain(`/proc/${file} from lensfs-proc-${file} (ro)`);
  }
  // … and all there are.
  expect(mounts).toEqual([
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
  expect(linesBelow('Limits:', description)).toEqual(['cpu:     500m', 'memory:  256Mi']);
});
