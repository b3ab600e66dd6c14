// SPDX-License-Identifier: Apache-2.0
// Which objects the API server sends to the webhook, and where: the configuration's own rules, selectors and conditions,
// evaluated as it does.
import { describe, expect, test } from 'vitest';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import {
  admissionPaths,
  injectKey,
  legacyKey,
  ownNamespace,
  podSecurityKey,
} from '../../src/kubernetes/names.js';
import { type Labels, selects } from '../_support/label-selector.js';
import { Policy } from '../_support/policy.js';
import type { Json } from './fixtures/fixture.js';

interface Call {
  namespace?: Labels;
  labels?: Labels;
  annotations?: Labels;
  operation?: string;
  group?: string;
  resource?: string;
}

const [configuration] = buildObjects(
  knownInputs(parseValues({ sets: [] }), ownNamespace, '0'),
).filter(({ kind }) => kind === 'MutatingWebhookConfiguration') as Json[];

/** The paths that are called. */
function pathsOf(call: Call): string[] {
  const { namespace = {}, labels, annotations } = call;
  const metadata = { name: 'web', ...(labels && { labels }), ...(annotations && { annotations }) };
  return configuration.webhooks
    .filter(
      ({ rules, namespaceSelector, objectSelector, matchConditions = [] }: Json) =>
        rules.some((rule: Json) => isOfRule(rule, call)) &&
        selects(namespaceSelector, { 'kubernetes.io/metadata.name': 'shop', ...namespace }) &&
        selects(objectSelector, labels ?? {}) &&
        new Policy({ spec: { matchConditions } }).matches({ metadata }),
    )
    .map(({ clientConfig }: Json) => clientConfig.service.path);
}

function isOfRule({ apiGroups, resources, operations }: Json, call: Call): boolean {
  const { group = '', resource = 'pods', operation = 'CREATE' } = call;
  return (
    apiGroups.includes(group) && resources.includes(resource) && operations.includes(operation)
  );
}

const enabled = { [injectKey]: 'enabled' };
const disabled = { [injectKey]: 'disabled' };
const legacy = { [legacyKey]: 'true' };
const level = (name: string) => ({ [podSecurityKey]: name });
const { namespace, pod, namespaceRestricted, podRestricted, workload } = admissionPaths;

const calls: [title: string, call: Call, path: string | undefined][] = [
  ['a pod that nobody asks for', {}, undefined],
  ['a pod of a namespace that asks', { namespace: enabled }, namespace],
  ['one that declines', { namespace: enabled, labels: disabled }, undefined],
  ['one that asks by a label', { labels: enabled }, pod],
  ['one that asks by an annotation', { annotations: enabled }, pod],
  ['one that asks as of old', { annotations: legacy }, pod],
  ['one with other annotations', { annotations: { team: 'data' } }, undefined],
  [
    'one that asks in a namespace that declines',
    { namespace: disabled, labels: enabled },
    undefined,
  ],
  ['privileged', { namespace: { ...enabled, ...level('privileged') } }, namespace],
  ['baseline', { namespace: { ...enabled, ...level('baseline') } }, namespaceRestricted],
  ['restricted', { namespace: { ...enabled, ...level('restricted') } }, namespaceRestricted],
  ['restricted, by itself', { namespace: level('restricted'), annotations: legacy }, podRestricted],
  ['a pod that is changed', { namespace: enabled, operation: 'UPDATE' }, undefined],
  [
    'a container that is added to a pod',
    { namespace: enabled, resource: 'pods/ephemeralcontainers', operation: 'UPDATE' },
    namespace,
  ],
  [
    'a pod of Kubernetes itself',
    { namespace: { ...enabled, 'kubernetes.io/metadata.name': 'kube-system' } },
    undefined,
  ],
  [
    'a pod of ours',
    { namespace: { ...enabled, 'kubernetes.io/metadata.name': ownNamespace } },
    undefined,
  ],
  [
    'a Deployment that asks',
    { group: 'apps', resource: 'deployments', annotations: legacy },
    workload,
  ],
  ['a Deployment that does not', { group: 'apps', resource: 'deployments' }, undefined],
  [
    'a Deployment of a namespace that asks, whose pods are seen by themselves',
    { group: 'apps', resource: 'deployments', namespace: enabled },
    undefined,
  ],
  ['a CronJob that asks', { group: 'batch', resource: 'cronjobs', annotations: enabled }, workload],
];

describe('the API server calls', () => {
  test.each(calls)('for %s', (_title, call, path) => {
    expect(pathsOf(call)).toEqual(path === undefined ? [] : [path]);
  });

  test('at most one path for any pod', () => {
    const spellings = [undefined, 'enabled', 'disabled', 'true', ''];
    const levels = [undefined, 'privileged', 'baseline', 'restricted'];
    const labelled = (key: string, value: string | undefined) =>
      value === undefined ? {} : { [key]: value };
    for (const ofNamespace of spellings) {
      for (const security of levels) {
        for (const label of spellings) {
          for (const annotation of spellings) {
            const call = {
              namespace: {
                ...labelled(injectKey, ofNamespace),
                ...labelled(podSecurityKey, security),
              },
              labels: labelled(injectKey, label),
              annotations: labelled(injectKey, annotation),
            };
            expect(pathsOf(call).length, JSON.stringify(call)).toBeLessThanOrEqual(1);
          }
        }
      }
    }
  });
});
