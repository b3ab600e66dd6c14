// SPDX-License-Identifier: Apache-2.0
// The generator, the chart and the kustomize bases say the same, and Kubernetes' schemas agree.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test as unitTest } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { deployFiles } from '../../src/kubernetes/manifests/deploy-files.js';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { printManifests } from '../../src/kubernetes/manifests/print.js';
import { buildObjects, namespaceObject } from '../../src/kubernetes/manifests/render.js';
import { ownNamespace } from '../../src/kubernetes/names.js';
import { readVersion } from '../../src/version.js';
import { unknownFields, validate } from '../_support/kubernetes-schemas.js';
import { helm, kubectl } from '../_support/kubernetes-tools.js';
import { command, testWith } from '../_support/requirements.js';
import type { Json } from './fixtures/fixture.js';
import { settings } from './fixtures/settings.js';

const test = testWith(command('python3'));
const version = readVersion();
const chart = 'deploy/helm/lensfs';

function objectsOf(sets: readonly string[], namespace = ownNamespace): Json[] {
  return buildObjects(knownInputs(parseValues({ sets }), namespace, version));
}

/** Without YAML between: what is undefined in an object is not in its text. */
function plain(objects: readonly Json[]): Json[] {
  return JSON.parse(JSON.stringify(objects));
}

function parse(text: string): Json[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS())
    .filter((object) => object !== null);
}

/** Helm sorts by kind. */
function sorted(objects: readonly Json[]): Json[] {
  const key = ({ kind, metadata }: Json) => `${kind} ${metadata.name}`;
  return [...objects].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function toHelm(sets: readonly string[]): string[] {
  return sets.flatMap((text) => {
    const [key = '', ...value] = text.split('=');
    const [document] = parseAllDocuments(value.join('='));
    return ['--set-json', `${key}=${JSON.stringify((document as Json).toJS())}`];
  });
}

describe('deploy/', () => {
  unitTest('is what the generator makes: scripts/deploy-update', () => {
    const files = deployFiles(version);
    for (const [path, text] of files)
      expect(readFileSync(`deploy/${path}`, 'utf8'), path).toBe(text);
    const there = ['helm', 'kustomize'].flatMap((directory) =>
      readdirSync(`deploy/${directory}`, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.replace('deploy/', '')),
    );
    expect(there.sort()).toEqual([...files.keys()].sort());
  });

  test('has a chart that helm finds nothing wrong with', async () => {
    expect(await helm(['lint', '--strict', chart])).toContain('0 chart(s) failed');
  });

  test('has a chart that refuses wrong values', async () => {
    const wrong = ['webhook.replicas=many', 'tls.mode=none', 'unknown=1', 'files[0]=proc/vmstat'];
    for (const set of wrong) {
      await expect(helm(['template', chart, '--set', set]), set).rejects.toThrow(
        /don't meet the specifications/,
      );
    }
  });

  test('has a chart that refuses directories within each other, as the generator does', async () => {
    const message = 'runDir must not be in the directory that tree is in';
    const wrong = [
      'runDir=/var/lib',
      'runDir=/var/lib/x',
      'tree=/run/lensfs/tree',
      'tree=/run/lensfs/a/b',
      'tree=/lens',
    ];
    for (const set of wrong) {
      await expect(helm(['template', chart, '--set', set]), set).rejects.toThrow(message);
      expect(() => parseValues({ sets: [set] }), set).toThrow(message);
    }
    for (const set of ['runDir=/var/library', 'tree=/run/lens/tree'])
      await expect(helm(['template', chart, '--set', set]), set).resolves.not.toBe('');
  });

  test('has kustomize bases that kubectl builds', async () => {
    const built = parse(await kubectl(['kustomize', 'deploy/kustomize/base']));
    const generated = [namespaceObject(ownNamespace), ...objectsOf([])];
    expect(sorted(built)).toEqual(sorted(plain(generated)));
  });
});

describe('manifests', () => {
  for (const [title, sets] of Object.entries(settings)) {
    test(`are the chart's with ${title}`, async () => {
      const rendered = await helm([
        'template',
        'any',
        chart,
        '--namespace',
        'elsewhere',
        ...toHelm(sets),
      ]);
      expect(sorted(parse(rendered))).toEqual(sorted(plain(objectsOf(sets, 'elsewhere'))));
    });

    unitTest(`follow the schemas with ${title}`, async () => {
      const problems = await Promise.all(plain(objectsOf(sets)).map(validate));
      expect(problems.flat()).toEqual([]);
    });
  }

  unitTest(
    'have no field that Kubernetes does not know',
    () => {
      expect(
        unknownFields(plain(Object.values(settings).flatMap((sets) => objectsOf(sets)))),
      ).toEqual([]);
    },
    60_000,
  );

  unitTest('are checked by schemas that find mistakes', async () => {
    const daemonSet = plain(objectsOf([])).find(({ kind }) => kind === 'DaemonSet');
    const misspelt = structuredClone(daemonSet);
    misspelt.spec.template.spec.containers[0].volumMounts = [];
    expect(unknownFields([misspelt]).join()).toContain('volumMounts');
    daemonSet.spec.template.spec.hostPID = 'yes';
    expect((await validate(daemonSet)).join()).toMatch(/hostPID must be boolean/);
  });

  unitTest('are a List as JSON', () => {
    const sources = { sets: ['policy.enabled=true'] };
    const list = JSON.parse(printManifests(sources, 'elsewhere', version, 'json'));
    expect(list).toMatchObject({ apiVersion: 'v1', kind: 'List' });
    expect(list.items).toEqual(parse(printManifests(sources, 'elsewhere', version, 'yaml')));
  });

  unitTest('name each object once', () => {
    for (const sets of Object.values(settings)) {
      const names = objectsOf(sets).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('the agent', () => {
  const daemonSet = () =>
    objectsOf([]).find(({ kind }) => kind === 'DaemonSet')?.spec.template.spec;

  unitTest(
    'mounts directories above the FUSE mounts, and shares what it mounts with the node',
    () => {
      const { volumes, containers, initContainers } = daemonSet();
      const paths = Object.fromEntries(volumes.map((v: Json) => [v.name, v.hostPath?.path]));
      expect(paths).toMatchObject({ tree: '/var/lib', run: '/run/lensfs' });
      for (const { name, volumeMounts } of [...initContainers, containers[0]]) {
        const shared = volumeMounts.filter((m: Json) => m.mountPropagation === 'Bidirectional');
        expect(
          shared.map((m: Json) => m.name),
          name,
        ).toEqual(['tree', 'run']);
      }
    },
  );

  unitTest('asks for resources in each of its containers', () => {
    const { containers, initContainers } = daemonSet();
    for (const { name, resources } of [...initContainers, ...containers])
      expect(Object.keys(resources ?? {}), name).toEqual(['requests', 'limits']);
  });

  unitTest('has a token only in the container without privileges', () => {
    const { automountServiceAccountToken, containers } = daemonSet();
    expect(automountServiceAccountToken).toBe(false);
    const [agent, node] = containers;
    expect(agent.securityContext).toEqual({ privileged: true, runAsUser: 0 });
    expect(agent.volumeMounts.map((m: Json) => m.name)).not.toContain('token');
    expect(node.securityContext).toMatchObject({ allowPrivilegeEscalation: false });
    expect(node.volumeMounts.map((m: Json) => m.name)).toContain('token');
  });
});

describe('the webhook', () => {
  const find = (kind: string, ...sets: string[]) =>
    objectsOf(sets).filter((object) => object.kind === kind);

  unitTest('lets nodes be drained, also the only one, and however many replicas there are', () => {
    expect(find('PodDisruptionBudget')).toEqual([]);
    const budget = ['webhook.podDisruptionBudget=true', 'webhook.replicas=1'];
    const [{ spec }] = find('PodDisruptionBudget', ...budget);
    expect(spec.maxUnavailable).toBe(1);
    expect(spec.minAvailable).toBeUndefined();
  });

  unitTest('reaches the API server on the ports that the values name', () => {
    const egress = (...sets: string[]) => {
      const [{ spec }] = find('NetworkPolicy', ...sets);
      return spec.egress.flatMap(({ ports }: Json) => ports.map(({ port }: Json) => port));
    };
    expect(egress()).toEqual([53, 53, 443, 6443]);
    expect(egress('webhook.apiServerPorts=[16443]')).toEqual([53, 53, 16443]);
    expect(() => parseValues({ sets: ['webhook.apiServerPorts=[]'] })).toThrow('Too small');
  });

  unitTest('is trusted by cert-manager for an authority that a renewal leaves as it is', () => {
    const sets = ['tls.mode=cert-manager', 'tls.secretName=other'];
    const byName = (kind: string) =>
      new Map(find(kind, ...sets).map(({ metadata, spec }) => [metadata.name, spec]));
    const [issuers, certificates] = [byName('Issuer'), byName('Certificate')];
    const [configuration] = find('MutatingWebhookConfiguration', ...sets);
    const trusted = configuration.metadata.annotations['cert-manager.io/inject-ca-from'];
    const leaf = certificates.get(trusted.split('/')[1]);
    expect(leaf).toMatchObject({ secretName: 'other', usages: ['server auth'] });
    const issuer = issuers.get(leaf.issuerRef.name);
    const authority = [...certificates.values()].find(
      ({ secretName }) => secretName === issuer.ca.secretName,
    );
    expect(authority).toMatchObject({ isCA: true, privateKey: { rotationPolicy: 'Never' } });
    expect(authority.secretName).not.toBe(leaf.secretName);
    expect(issuers.get(authority.issuerRef.name)).toEqual({ selfSigned: {} });
    expect(Number.parseInt(authority.duration, 10)).toBeGreaterThan(
      40 * Number.parseInt(leaf.duration, 10),
    );
  });
});

describe('parseValues()', () => {
  unitTest('names every problem at once', () => {
    expect(() =>
      parseValues({ sets: ['webhook.replicas=-1', 'tls.mode=x', 'nonsense=1', '__proto__.a=1'] }),
    ).toThrow(
      /The values are wrong\n {2}webhook.replicas: Too small.*\n {2}tls.mode: Invalid option.*\n {2}values: Unrecognized keys: "nonsense", "__proto__"/,
    );
  });

  unitTest('reads a file, over which --set wins', () => {
    const file = { name: 'v.yaml', text: 'webhook: {replicas: 3, logLevel: debug}\n' };
    const { webhook } = parseValues({ file, sets: ['webhook.replicas=4'] });
    expect([webhook.replicas, webhook.logLevel, webhook.enabled]).toEqual([4, 'debug', true]);
    expect(() => parseValues({ file: { name: 'v.yaml', text: '[1]' }, sets: [] })).toThrow(
      'v.yaml: expected a map',
    );
    expect(() => parseValues({ file: { name: 'v.yaml', text: 'a: [' }, sets: [] })).toThrow(
      /^v.yaml: /,
    );
    expect(() => parseValues({ sets: ['a'] })).toThrow('--set: expected KEY=VALUE, got "a"');
  });
});
