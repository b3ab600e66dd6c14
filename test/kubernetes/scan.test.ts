// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { describe, expect, test as unitTest } from 'vitest';
import { stringify } from 'yaml';
import { injectableFiles } from '../../src/kubernetes/files.js';
import { scan } from '../../src/kubernetes/scan.js';
import { lensfs, program } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { allFiles, container, injected, type Json, pod } from './fixtures/fixture.js';
import { web } from './fixtures/workloads.js';

const test = testWith(built(program));
const options = {
  tree: '/var/lib/lensfs',
  files: injectableFiles,
  namespaceLabels: {},
  excludedNamespaces: ['kube-system'],
};

function named(object: Json, name: string, namespace = 'shop'): Json {
  return { ...object, metadata: { ...object.metadata, name, namespace } };
}

function namespace(name: string, labels: Record<string, string>): Json {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
}

const shop = namespace('shop', { 'lensfs.io/inject': 'enabled' });
const vault = namespace('vault', {
  'lensfs.io/inject': 'enabled',
  'pod-security.kubernetes.io/enforce': 'restricted',
});
const closed = namespace('closed', { 'lensfs.io/inject': 'disabled' });
const running = { ...pod(), status: { phase: 'Running' } };
const asks = { labels: { 'lensfs.io/inject': 'enabled' } };
const mounted = pod({
  containers: [container('app', { volumeMounts: [{ name: 'x', mountPath: '/proc/stat' }] })],
});

const objects = [
  shop,
  vault,
  closed,
  named(pod(), 'new'),
  named(running, 'old'),
  named({ ...injected(allFiles), status: {} }, 'done'),
  named(pod({ hostPID: true }), 'exporter'),
  named(mounted, 'partly'),
  named(pod(), 'sealed', 'vault'),
  named(pod(asks), 'stubborn', 'closed'),
  named(pod(asks), 'asking', 'plain'),
  named(pod(), 'silent', 'plain'),
  named(pod(asks), 'dns', 'kube-system'),
  web,
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } },
];

const excluded = {
  excludedNamespaces: ['kube-system', 'kube-public', 'kube-node-lease', 'lensfs-system'],
};

const report = `Pod shop/new: gets the view in app
Pod shop/old: gets the view in app: when it is created again
Pod shop/done: has the view in app
Pod shop/exporter: no view: hostPID: its processes are the node's
Pod shop/partly: gets the view in app: except app:/proc/stat (mounted already)
Pod vault/sealed: no view: pod-security.kubernetes.io/enforce of the namespace forbids hostPath volumes
Pod closed/stubborn: no view: namespace "closed" has opted out
Pod plain/asking: gets the view in app
Pod plain/silent: no view: not opted in
Pod kube-system/dns: no view: namespace "kube-system" is excluded
Deployment default/web: gets the view in web
1 with the view, 5 that would get it, 5 without
`;

describe('lensfs kubernetes scan', () => {
  test('says for each object what would happen, and why', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('pods.yaml');
    await writeFile(file, objects.map((object) => stringify(object)).join('---\n'));
    const { code, stdout, stderr } = await lensfs(['kubernetes', 'scan', '-f', file]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(report);
    // As kubectl prints it: one list, JSON.
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await writeFile(file, list);
    expect((await lensfs(['kubernetes', 'scan', file])).stdout).toBe(report);
    const { stdout: json } = await lensfs(['kubernetes', 'scan', file, '--json']);
    expect(JSON.parse(json)).toEqual(scan(list, { ...options, ...excluded }));
  });

  test('fails when it cannot read an object, and says what would happen to the others', async () => {
    await using dir = await TempDir.create();
    const file = dir.at('pods.yaml');
    const wrong = { kind: 'Job', metadata: { name: 'once' }, spec: { template: {} } };
    await writeFile(
      file,
      JSON.stringify({ kind: 'List', items: [wrong, named(pod(asks), 'new')] }),
    );
    const { code, stdout } = await lensfs(['kubernetes', 'scan', '-f', file]);
    expect(
      stdout,
    ).toBe(`Job default/once: cannot be read: spec.template.spec: Invalid input: expected object, received undefined
Pod shop/new: gets the view in app
0 with the view, 1 that would get it, 0 without, 1 that cannot be read
`);
    expect(code).toBe(1);
  });

  test('says that its file is not there', async () => {
    const { code, stdout, stderr } = await lensfs([
      'kubernetes',
      'scan',
      '-f',
      '/nowhere/pods.yaml',
    ]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^lensfs: Cannot read "\/nowhere\/pods.yaml": ENOENT/);
  });

  test('needs one file', async () => {
    const { code, stderr } = await lensfs(['kubernetes', 'scan', 'a.yaml', '-f', 'b.yaml']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^lensfs: kubernetes scan: expected one file: -f FILE, or "-f -"\n/);
  });
});

describe('scan()', () => {
  unitTest('takes labels for namespaces that are not in the text', () => {
    const text = stringify(named(pod(), 'a', 'unknown'));
    expect(scan(text, options)).toMatchObject([{ verdict: 'none', reason: 'not opted in' }]);
    const labels = { 'lensfs.io/inject': 'enabled' };
    expect(scan(text, { ...options, namespaceLabels: labels })).toMatchObject([
      { verdict: 'gets', containers: ['app'] },
    ]);
  });

  unitTest('says what is wrong with the text', () => {
    expect(() => scan('kind: [', options)).toThrow(/^Not YAML: /);
    expect(scan('', options)).toEqual([]);
  });

  unitTest('names what it cannot read, and goes on', () => {
    const job = { kind: 'CronJob', metadata: { name: 'nightly', namespace: 'shop' }, spec: {} };
    const deployment = structuredClone(web);
    deployment.spec.template.spec.containers[0].name = 7;
    const text = [pod({ containers: 7 as Json }), job, deployment, { kind: 'Pod' }, pod(asks)];
    const findings = scan(text.map((object) => stringify(object)).join('---\n'), options);
    expect(findings.map(({ kind, name, verdict }) => [kind, name, verdict])).toEqual([
      ['Pod', 'web', 'unreadable'],
      ['CronJob', 'nightly', 'unreadable'],
      ['Deployment', 'web', 'unreadable'],
      ['Pod', '', 'unreadable'],
      ['Pod', 'web', 'gets'],
    ]);
    expect(findings.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^spec\.containers: Invalid input: expected array/),
      expect.stringMatching(/^spec\.jobTemplate: Invalid input: expected object/),
      expect.stringMatching(/^spec\.template\.spec\.containers\.0\.name: Invalid input/),
      expect.stringMatching(/^spec: Invalid input: expected object/),
      undefined,
    ]);
  });

  unitTest('warns of what an annotation means wrongly', () => {
    const odd = pod({ ...asks, annotations: { 'lensfs.io/files': 'meminfo,vmstat' } });
    expect(scan(stringify(odd), options)).toMatchObject([
      { verdict: 'gets', warnings: ['lensfs: lensfs.io/files: no file "vmstat"'] },
    ]);
  });
});
