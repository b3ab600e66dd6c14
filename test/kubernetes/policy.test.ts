// SPDX-License-Identifier: Apache-2.0
// The policy does to a pod what the webhook does, but for annotations, which it does not know.
import { describe, expect, test } from 'vitest';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { ownNamespace } from '../../src/kubernetes/names.js';
import { readChoice } from '../../src/kubernetes/selection.js';
import { type Labels, selects } from '../_support/label-selector.js';
import { Policy } from '../_support/policy.js';
import { type Fixture, type Json, mount, pod, volume } from './fixtures/fixture.js';
import { selectionFixtures } from './fixtures/selection.js';
import { shapeFixtures } from './fixtures/shapes.js';
import { skipFixtures } from './fixtures/skips.js';

function objectsOf(...sets: string[]): Json[] {
  const values = parseValues({ sets: ['policy.enabled=true', ...sets] });
  return buildObjects(knownInputs(values, ownNamespace, '0'));
}

/** The one for pods that are created, or for containers that are added to one. */
function policyOf(resource: 'pods' | 'pods/ephemeralcontainers', ...sets: string[]): Policy {
  const found = objectsOf(...sets).filter(
    ({ kind, spec }) =>
      kind === 'MutatingAdmissionPolicy' &&
      spec.matchConstraints.resourceRules[0].resources.includes(resource),
  );
  expect(found).toHaveLength(1);
  return new Policy(found[0]);
}

const policy = policyOf('pods');
const own = /^(lensfs|files\.lensfs)\.io\/|^initializer/;

/** Whether annotations of it do not matter. */
function isPlain(object: Json): boolean {
  const annotations = Object.keys(object?.metadata?.annotations ?? {});
  return !annotations.some((key) => own.test(key) && key !== 'lensfs.io/status');
}

/** Pods that are created, whose annotations do not matter, and that bindings and selectors let through. */
function isConcerned({
  path = 'namespace',
  operation = 'CREATE',
  object,
  expected,
}: Fixture): boolean {
  // Null lists are not what the API server hands to CEL: it drops them.
  const hasNulls = JSON.stringify(object)?.includes(':null');
  const isOrdinary = path === 'namespace' && operation === 'CREATE' && expected.result !== 'failed';
  return isOrdinary && isPlain(object) && !hasNulls && expected.result !== 'not_selected';
}

/** What differs on purpose: the webhook finds another name for its volume, and normalizes paths. */
const exceptions = [
  "a foreign volume under our volume's name",
  'a mount at //proc/./meminfo',
  'our mount, made by hand',
];

const fixtures = [...selectionFixtures, ...skipFixtures, ...shapeFixtures]
  .filter(isConcerned)
  .filter(({ title }) => !exceptions.includes(title));

function mountsOf(object: Json): Json {
  const all = [...(object.spec.initContainers ?? []), ...object.spec.containers];
  return Object.fromEntries(all.map(({ name, volumeMounts }: Json) => [name, volumeMounts ?? []]));
}

describe('the policy', () => {
  for (const { title, object, expected } of fixtures) {
    test(`agrees about ${title}`, () => {
      const skips = expected.status?.startsWith('skipped: ') || expected.status === undefined;
      const files = Object.values(expected.mounts ?? {}).flat();
      if (skips && !expected.status?.includes('(')) {
        expect(policy.matches(object)).toBe(false);
        return;
      }
      expect(policy.matches(object)).toBe(true);
      const after = policy.mutate(object);
      const wanted = mountsOf(object);
      for (const [name, list] of Object.entries(expected.mounts ?? {})) {
        wanted[name] = [...wanted[name], ...list.map((file) => mount(file))];
      }
      expect(mountsOf(after)).toEqual(wanted);
      for (const file of files) expect(after.spec.volumes).toContainEqual(volume(file));
      expect(policy.mutate(after)).toEqual(after);
      expect({ ...after.spec, volumes: 0, containers: 0, initContainers: 0 }).toEqual({
        ...object.spec,
        volumes: 0,
        containers: 0,
        initContainers: 0,
      });
    });
  }

  test('is compared with more than thirty fixtures', () => {
    expect(fixtures.length).toBeGreaterThan(30);
  });

  test('leaves a pod alone whose volume would be overwritten', () => {
    const name = 'lensfs-proc-meminfo';
    const path = '/var/lib/lensfs/proc/meminfo';
    const foreign = [
      { name, emptyDir: {} },
      { name, hostPath: { path: '/etc/hosts', type: 'File' } },
      { name, hostPath: { path, type: 'FileOrCreate' } },
      { name, hostPath: { path } },
    ];
    for (const each of foreign) {
      const object = pod();
      object.spec.volumes.push(each);
      expect(policy.matches(object), JSON.stringify(each)).toBe(false);
    }
    const harmless = [volume('meminfo'), { name: 'lensfs-extra', emptyDir: {} }];
    for (const each of harmless) {
      const object = pod();
      object.spec.volumes.push(each);
      expect(policy.matches(object), each.name).toBe(true);
      expect(policy.mutate(object).spec.volumes).toContainEqual(each);
    }
  });

  test.each(['lensfs-inject', 'lensfs-inject-ephemeral'])(
    'is bound to pods that ask in each of the words that the webhook knows: %s',
    (policyName) => {
      const asks = ['enabled', 'true'];
      const bindings = objectsOf().filter(
        ({ kind, spec }) =>
          kind === 'MutatingAdmissionPolicyBinding' && spec.policyName === policyName,
      );
      const isBound = (namespaceLabels: Labels, podLabels: Labels) =>
        bindings.some(
          ({ spec: { matchResources } }) =>
            selects(matchResources.namespaceSelector, namespaceLabels) &&
            selects(matchResources.objectSelector, podLabels),
        );
      for (const word of [...asks, 'disabled', 'false', 'yes']) {
        const labels = { 'lensfs.io/inject': word };
        expect(isBound({}, labels), word).toBe(readChoice({ labels }) === true);
        expect(isBound({ 'lensfs.io/inject': 'disabled' }, labels), word).toBe(false);
      }
      expect(isBound({ 'lensfs.io/inject': 'enabled' }, {})).toBe(true);
      expect(isBound({}, {})).toBe(false);
    },
  );

  test('takes the tree and the files from the values', () => {
    const other = policyOf('pods', 'tree=/srv/lens', 'files=[proc/stat, sys/devices/system/cpu]');
    const after = other.mutate(pod());
    expect(after.spec.volumes.slice(1)).toEqual([
      volume('stat', undefined, '/srv/lens'),
      volume('cpu', undefined, '/srv/lens'),
    ]);
    expect(after.spec.containers[0].volumeMounts.slice(1)).toEqual([mount('stat'), mount('cpu')]);
  });
});

describe('the policy for ephemeral containers', () => {
  const ephemeral = policyOf('pods/ephemeralcontainers');
  const added = [...selectionFixtures, ...skipFixtures, ...shapeFixtures].filter(
    ({ subResource, object, expected }) =>
      subResource === 'ephemeralcontainers' &&
      isPlain(object) &&
      expected.result !== 'not_selected',
  );
  const debug = (name: string, more: Json = {}) => ({ name, image: 'busybox', ...more });

  for (const { title, object, oldObject, expected } of added) {
    test(`agrees about ${title}`, () => {
      const wanted = structuredClone(object);
      for (const container of wanted.spec.ephemeralContainers) {
        const mounts = (expected.mounts?.[container.name] ?? []).map((file) => mount(file));
        if (mounts.length > 0)
          container.volumeMounts = [...(container.volumeMounts ?? []), ...mounts];
      }
      const after = ephemeral.matches(object, oldObject)
        ? ephemeral.mutate(object, oldObject)
        : object;
      expect(withoutEmpty(after)).toEqual(withoutEmpty(wanted));
      expect(withoutEmpty(ephemeral.mutate(after, oldObject))).toEqual(withoutEmpty(wanted));
    });
  }

  test('is compared with fixtures that get something, and others', () => {
    const results = new Set(added.map(({ expected }) => expected.result));
    expect(added.length).toBeGreaterThan(4);
    expect([...results].sort()).toEqual(['injected', 'skipped']);
  });

  test('leaves alone what has been there before, and volumes that are no longer ours', () => {
    const oldObject = pod();
    oldObject.spec.volumes.push(volume('meminfo'), { name: 'lensfs-proc-stat', emptyDir: {} });
    oldObject.spec.ephemeralContainers = [debug('first')];
    const object = structuredClone(oldObject);
    object.spec.ephemeralContainers.push(debug('second'));
    expect(ephemeral.matches(object, oldObject)).toBe(true);
    const wanted = structuredClone(object);
    wanted.spec.ephemeralContainers[1].volumeMounts = [mount('meminfo')];
    expect(ephemeral.mutate(object, oldObject)).toEqual(wanted);
  });
});

/** An empty list of mounts is none, to the API server. */
function withoutEmpty(object: Json): Json {
  const copy = structuredClone(object);
  for (const container of copy.spec.ephemeralContainers ?? []) {
    if (container.volumeMounts?.length === 0) delete container.volumeMounts;
  }
  return copy;
}
