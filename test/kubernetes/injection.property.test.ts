// SPDX-License-Identifier: Apache-2.0
// What holds for every pod there can be.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { injectableFiles } from '../../src/kubernetes/files.js';
import type { PatchOperation } from '../../src/kubernetes/json-patch.js';
import { podSchema } from '../../src/kubernetes/pod.js';
import { reviewEphemeralContainers, reviewPod } from '../../src/kubernetes/pod-review.js';
import { evictableVolumes, type Json } from './fixtures/fixture.js';

const options = { tree: '/var/lib/lensfs', files: injectableFiles };
const namespace = { isOptedIn: true, isRestricted: false };

const volumeNames = ['data', 'lensfs-proc-meminfo', 'lensfs-proc-stat', 'lensfs-proc-meminfo-2'];
const paths = ['/data', '/proc', '/proc/meminfo', '/proc/stat/', '/sys/devices/system', '/proc/x'];
const sources = ['/etc', '/var/lib/lensfs/proc/meminfo', '/var/lib/lensfs/proc/stat'];

const volume = fc.record({
  name: fc.constantFrom(...volumeNames),
  hostPath: fc.option(fc.record({ path: fc.constantFrom(...sources) }), { nil: undefined }),
});
const mount = fc.record({
  name: fc.constantFrom(...volumeNames),
  mountPath: fc.constantFrom(...paths),
  future: fc.anything({ maxDepth: 1 }).filter((value) => value !== undefined),
});
const list = <T>(item: fc.Arbitrary<T>, max: number) =>
  fc.oneof(fc.constant(null), fc.constant(undefined), fc.array(item, { maxLength: max }));
const container = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  image: fc.string(),
  volumeMounts: list(mount, 3),
  securityContext: fc.constantFrom(undefined, null, { procMount: 'Unmasked' }, { runAsUser: 1 }),
});
const annotations = fc.dictionary(
  fc.constantFrom(
    'lensfs.io/files',
    'files.lensfs.io/a',
    'lensfs.io/status',
    'a/b',
    '~1',
    '__proto',
  ),
  fc.constantFrom('all', 'none', 'meminfo', 'stat, cpu', 'injected', 'x'),
);
const pod = fc
  .record({
    metadata: fc.record({
      name: fc.constantFrom('p', undefined),
      annotations: fc.oneof(fc.constant(null), fc.constant(undefined), annotations),
    }),
    spec: fc.record({
      volumes: list(volume, 4),
      containers: fc.array(container, { maxLength: 3 }),
      initContainers: list(container, 2),
      ephemeralContainers: list(container, 2),
      hostPID: fc.constantFrom(undefined, false, true),
      unknown: fc.jsonValue(),
    }),
  })
  // As JSON brings it: without undefined members.
  .map((value) => JSON.parse(JSON.stringify(value)) as Json)
  .map(makeValid);

/** What the API server refuses anyway: two volumes of one name, mounts of volumes that are not there. */
function makeValid(object: Json): Json {
  const { spec } = object;
  const volumes = new Map((spec.volumes ?? []).map((each: Json) => [each.name, each]));
  if (spec.volumes) spec.volumes = [...volumes.values()];
  for (const each of allContainers(object)) {
    if (!each.volumeMounts) continue;
    each.volumeMounts = each.volumeMounts.filter(({ name }: Json) => volumes.has(name));
  }
  return object;
}

function review(object: Json) {
  return reviewPod(podSchema.parse(structuredClone(object)), namespace, options);
}

/** Applies the two operations there are; kubectl does it for the fixtures. */
function apply(object: Json, patch: readonly PatchOperation[]): Json {
  const after = structuredClone(object);
  for (const operation of patch) {
    if (operation.op === 'remove') throw new Error(`takes ${operation.path} away`);
    const { path, value } = operation;
    const parts = path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = parts.pop() ?? '';
    const parent = parts.reduce((place: Json, part) => place[part], after);
    if (last === '-') parent.push(structuredClone(value));
    else parent[last] = structuredClone(value);
  }
  return after;
}

function allContainers(object: Json): Json[] {
  return [
    ...(object.spec.initContainers ?? []),
    ...(object.spec.containers ?? []),
    ...(object.spec.ephemeralContainers ?? []),
  ];
}

function holds(property: (before: Json, after: Json) => void): void {
  fc.assert(
    fc.property(pod, (object) => {
      property(object, apply(object, review(object).patch));
    }),
    { numRuns: 300 },
  );
}

describe('reviewPod()', () => {
  test('changes nothing the second time', () => {
    holds((_, after) => expect(review(after).patch).toEqual([]));
  });

  test('keeps every volume, container and mount where it is', () => {
    holds((before, after) => {
      const volumes = before.spec.volumes ?? [];
      expect((after.spec.volumes ?? []).slice(0, volumes.length)).toEqual(volumes);
      for (const [index, each] of allContainers(before).entries()) {
        const mounts = each.volumeMounts ?? [];
        const changed = allContainers(after)[index];
        expect((changed.volumeMounts ?? []).slice(0, mounts.length)).toEqual(mounts);
        expect({ ...changed, volumeMounts: null }).toEqual({ ...each, volumeMounts: null });
      }
    });
  });

  test('loses and changes no other key', () => {
    const ours = { 'lensfs.io/status': '', [evictableVolumes]: '' };
    holds((before, after) => {
      expect({ ...after.metadata.annotations, ...ours }).toEqual({
        ...before.metadata.annotations,
        ...ours,
      });
      const lists = { containers: null, initContainers: null, ephemeralContainers: null };
      const rest = { volumes: null, ...lists };
      expect({ ...after.spec, ...rest }).toEqual({ ...before.spec, ...rest });
      expect({ ...after.metadata, annotations: null }).toEqual({
        ...before.metadata,
        annotations: null,
      });
    });
  });

  test('adds no mount whose path is taken', () => {
    holds((before, after) => {
      for (const [index, each] of allContainers(after).entries()) {
        const had = (allContainers(before)[index].volumeMounts ?? []).length;
        const mounts = (each.volumeMounts ?? []).map(({ mountPath }: Json) => mountPath);
        for (const [place, path] of mounts.slice(had).entries()) {
          const others = mounts.filter((_: string, other: number) => other !== had + place);
          expect(others).not.toContain(path);
          expect(others).not.toContain(`${path}/`);
        }
      }
    });
  });

  test('has at most one volume for a file, under a name of its own', () => {
    holds((before, after) => {
      const volumes = after.spec.volumes ?? [];
      const names = volumes.map(({ name }: Json) => name);
      expect(new Set(names).size).toBe(names.length);
      const added = volumes.slice((before.spec.volumes ?? []).length);
      const places = added.map(({ hostPath }: Json) => hostPath.path);
      expect(new Set(places).size).toBe(places.length);
      // What the pod has two volumes for already is its own affair; none is added to them.
      const had = (before.spec.volumes ?? []).map((each: Json) => each.hostPath?.path);
      for (const place of places) expect(had).not.toContain(place);
    });
  });

  test('mounts only volumes that are there', () => {
    holds((before, after) => {
      const names = new Set((after.spec.volumes ?? []).map(({ name }: Json) => name));
      for (const [index, each] of allContainers(after).entries()) {
        const had = (allContainers(before)[index].volumeMounts ?? []).length;
        for (const { name } of (each.volumeMounts ?? []).slice(had)) expect(names).toContain(name);
      }
    });
  });
});

describe('reviewEphemeralContainers()', () => {
  const reviewNew = (object: Json) => {
    const [parsed, old] = [
      object,
      { ...object, spec: { ...object.spec, ephemeralContainers: [] } },
    ].map((each) => podSchema.parse(structuredClone(each)));
    if (parsed === undefined) throw new Error('No pod');
    return reviewEphemeralContainers(parsed, old, namespace, options);
  };

  test('changes only mounts of ephemeral containers, and only to volumes of the pod', () => {
    let changed = 0;
    fc.assert(
      fc.property(pod, (object) => {
        const { patch } = reviewNew(object);
        changed += patch.length > 0 ? 1 : 0;
        const names = (object.spec.volumes ?? []).map(({ name }: Json) => name);
        for (const operation of patch) {
          expect(operation).not.toMatchObject({ op: 'remove' });
          const { path, value } = operation as Extract<PatchOperation, { value: unknown }>;
          expect(path).toMatch(/^\/spec\/ephemeralContainers\/\d+\/volumeMounts/);
          for (const { name } of [value].flat() as Json[]) expect(names).toContain(name);
        }
        expect(reviewNew(apply(object, patch)).patch).toEqual([]);
      }),
      { numRuns: 300 },
    );
    expect(changed).toBeGreaterThan(0);
  });

  test('says why a container has not got all', () => {
    fc.assert(
      fc.property(pod, (object) => {
        const { result, containers, warnings } = reviewNew(object);
        const isNone = Object.values(object.metadata.annotations ?? {}).includes('none');
        if (result === 'skipped' && !isNone)
          expect([containers, warnings.length > 0]).toEqual([[], true]);
      }),
      { numRuns: 300 },
    );
  });
});
