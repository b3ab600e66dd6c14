// SPDX-License-Identifier: Apache-2.0
// AdmissionReviews over HTTPS; each patch is applied by kubectl and the result compared as a whole.
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import { program } from '../_support/lensfs.js';
import { built, command, testWith } from '../_support/requirements.js';
import { RunningWebhook } from '../_support/webhook.js';
import {
  type Expected,
  evictableVolumes,
  type Fixture,
  type Json,
  mount,
  usualVolume,
  volume,
} from './fixtures/fixture.js';
import { selectionFixtures } from './fixtures/selection.js';
import { shapeFixtures } from './fixtures/shapes.js';
import { skipFixtures } from './fixtures/skips.js';
import { workloadFixtures } from './fixtures/workloads.js';

const test = testWith(built(program), command('python3'));

const urls = {
  namespace: '/mutate/pods/namespace',
  pod: '/mutate/pods/pod',
  namespaceRestricted: '/mutate/pods/namespace/restricted',
  podRestricted: '/mutate/pods/pod/restricted',
  workload: '/mutate/workloads',
};

const suites = {
  selection: selectionFixtures,
  skips: skipFixtures,
  shapes: shapeFixtures,
  workloads: workloadFixtures,
};

let webhook: RunningWebhook;
beforeAll(async () => {
  webhook = await RunningWebhook.start();
});
afterAll(async () => {
  await webhook[Symbol.asyncDispose]();
});

let uid = 0;

async function ask({ path = 'namespace', operation = 'CREATE', ...fixture }: Fixture) {
  uid += 1;
  const { subResource, object, oldObject = null } = fixture;
  const reply = await webhook.post(
    urls[path],
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: `uid-${uid}`,
        kind: { group: '', version: 'v1', kind: object?.kind ?? 'Pod' },
        resource: { group: '', version: 'v1', resource: 'pods' },
        ...(subResource && { subResource }),
        namespace: 'shop',
        operation,
        userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
        object,
        oldObject,
        dryRun: false,
        options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
      },
    }),
  );
  expect(reply.status).toBe(200);
  const review = JSON.parse(reply.text);
  expect(review).toMatchObject({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: `uid-${uid}`, allowed: true },
  });
  return review.response as { patch?: string; patchType?: string; warnings?: string[] };
}

function decode(response: { patch?: string; patchType?: string }): Json[] {
  expect(response.patchType).toBe(response.patch === undefined ? undefined : 'JSONPatch');
  return JSON.parse(Buffer.from(response.patch ?? 'W10=', 'base64').toString());
}

function annotateTemplate(after: Json, { template, withdrawn = [] }: Expected): void {
  if (template === undefined) return;
  const path = after.kind === 'CronJob' ? after.spec.jobTemplate.spec : after.spec;
  path.template.metadata ??= {};
  path.template.metadata.annotations = { ...path.template.metadata.annotations, ...template };
  for (const key of withdrawn) delete path.template.metadata.annotations[key];
}

/** What the fixture says the object is afterwards, made without any of the code under test. */
function expectedObject({ object, expected }: Fixture): Json {
  const after = structuredClone(object);
  const { mounts = {}, present = [], volumes = {}, status } = expected;
  const nameOf = (file: string) => volumes[file] ?? usualVolume(file);
  annotateTemplate(after, expected);
  if (status !== undefined) {
    after.metadata.annotations = { ...after.metadata.annotations, 'lensfs.io/status': status };
  }
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of after?.spec?.[list]?.values?.() ?? []) {
      const files = mounts[container.name] ?? [];
      if (files.length === 0) continue;
      const added = files.map((file) => mount(file, nameOf(file)));
      container.volumeMounts = [...(container.volumeMounts ?? []), ...added];
    }
  }
  const needed = new Set(Object.values(mounts).flat());
  const added = [...needed].filter((file) => !present.includes(file));
  const ours = [...needed].map(nameOf).sort().join();
  // An object that is asked about again has them in its annotation already.
  if (status !== undefined && ours !== '') {
    after.metadata.annotations[evictableVolumes] = expected.evictable ?? ours;
  }
  if (added.length > 0) {
    after.spec.volumes = [...(after.spec.volumes ?? []), ...added.map((f) => volume(f, nameOf(f)))];
  }
  return after;
}

/** Volumes are a map by name: the order of those that were added is nobody's business. */
function sortAddedVolumes(object: Json, original: Json): Json {
  const kept = original?.spec?.volumes?.length ?? 0;
  const { volumes } = object.spec;
  if (!Array.isArray(volumes)) return object;
  const added = volumes.slice(kept).sort((a, b) => (a.name < b.name ? -1 : 1));
  object.spec.volumes = [...volumes.slice(0, kept), ...added];
  return object;
}

async function countOf(result: string): Promise<number> {
  const { text } = await webhook.side('/metrics');
  const line = new RegExp(`^lensfs_admission_reviews_total\\{result="${result}"\\} (\\d+)$`, 'm');
  return Number(line.exec(text)?.[1]);
}

function expectWarnings(warnings: readonly string[], expected: readonly (string | RegExp)[]): void {
  expect(warnings).toHaveLength(expected.length);
  for (const [index, text] of expected.entries()) {
    if (typeof text === 'string') expect(warnings[index]).toBe(text);
    else expect(warnings[index]).toMatch(text);
    expect(warnings[index]?.length).toBeLessThanOrEqual(120);
  }
}

async function check(fixture: Fixture): Promise<void> {
  const { object, expected } = fixture;
  const before = await countOf(expected.result);
  const response = await ask(fixture);
  expect(await countOf(expected.result)).toBe(before + 1);
  expectWarnings(response.warnings ?? [], expected.warnings ?? []);
  const patch = decode(response);
  if (patch.length === 0) {
    if (expected.result !== 'failed') expect(expectedObject(fixture)).toEqual(object);
    return;
  }
  const after = (await patchWithKubectl(object, patch)) as Json;
  // The API server may ask again about what it got.
  expect((await ask({ ...fixture, object: structuredClone(after) })).patch).toBeUndefined();
  const wanted = sortAddedVolumes(expectedObject(fixture), object);
  expect(sortAddedVolumes(after, object)).toEqual(wanted);
}

for (const [suite, fixtures] of Object.entries(suites)) {
  describe(suite, () => {
    for (const fixture of fixtures) test(fixture.title, async () => await check(fixture));
  });
}

test('There are more than sixty reviews', () => {
  expect(Object.values(suites).flat().length).toBeGreaterThan(60);
});
