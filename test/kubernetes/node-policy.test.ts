// SPDX-License-Identifier: Apache-2.0
// What the API server lets an agent change of a node: the policy's CEL, by a CEL implementation.
import { Environment } from '@marcbachmann/cel-js';
import { describe, expect, test } from 'vitest';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { ownNamespace } from '../../src/kubernetes/names.js';
import { nodePatch } from '../../src/kubernetes/node.js';
import { patchWithKubectl } from '../_support/kubernetes-tools.js';
import type { Json } from './fixtures/fixture.js';

const cel = new Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false });
const agent = 'system:serviceaccount:lensfs-system:lensfs-agent';
const taint = 'lensfs.io/agent-not-ready';
const ours = { key: taint, effect: 'NoSchedule' };
const dedicated = { key: 'dedicated', value: 'untrusted', effect: 'NoSchedule' };

function policySpec(...sets: string[]): Json {
  const objects: Json[] = buildObjects(knownInputs(parseValues({ sets }), ownNamespace, '0'));
  return objects.find(({ kind }) => kind === 'ValidatingAdmissionPolicy').spec;
}

const spec = policySpec();

interface Request {
  username?: string;
  node?: string | undefined;
  operation?: string;
  subResource?: string;
}

/** "ok", "not concerned", or the messages of what does not hold; an error of CEL refuses, as failurePolicy says. */
function judge(object: Json, oldObject: Json, about: Request = {}, policy: Json = spec): string[] {
  const { username = agent, operation = 'UPDATE', subResource = '' } = about;
  const name = 'node' in about ? about.node : 'worker-3';
  const extra = name === undefined ? {} : { 'authentication.kubernetes.io/node-name': [name] };
  const request = { userInfo: { username, extra }, operation, subResource };
  const context = { object, oldObject, request };
  const isConcerned = policy.matchConditions.every(
    ({ expression }: Json) => cel.evaluate(expression, context) === true,
  );
  if (!isConcerned) return ['not concerned'];
  const failed = policy.validations.filter(({ expression }: Json) => {
    try {
      return cel.evaluate(expression, context) !== true;
    } catch {
      return true;
    }
  });
  return failed.length === 0 ? ['ok'] : failed.map(({ message }: Json) => message);
}

function node(change: (object: Json) => void = () => {}): Json {
  const object = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: 'worker-3',
      labels: { disk: 'ssd', 'kubernetes.io/os': 'linux' },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
      resourceVersion: '7',
      managedFields: [{ manager: 'kubelet' }],
    },
    spec: { podCIDR: '10.0.0.0/24', taints: [dedicated, ours] },
    status: { capacity: { cpu: '4' } },
  };
  change(object);
  return object;
}

describe('the policy for agents', () => {
  test('is there with the container that marks the node, and fails closed', () => {
    expect(spec.failurePolicy).toBe('Fail');
    expect(spec.matchConstraints.resourceRules[0]).toMatchObject({
      operations: ['CREATE', 'UPDATE', 'DELETE'],
      resources: ['nodes', 'nodes/*'],
    });
  });

  test('lets through what the agent does', async () => {
    for (const isReady of [true, false]) {
      for (const before of [
        node(),
        node((n) => delete n.spec.taints),
        node((n) => delete n.metadata.labels),
        node((n) => Object.assign(n.metadata.labels, { 'lensfs.io/ready': String(!isReady) })),
      ]) {
        const patch = nodePatch(before, taint, isReady);
        const after =
          patch.length === 0 ? before : ((await patchWithKubectl(before, patch)) as Json);
        after.metadata.resourceVersion = '8';
        after.metadata.managedFields = before.metadata.managedFields.concat({ manager: 'lensfs' });
        // The API server drops an empty list.
        if (after.spec.taints?.length === 0) delete after.spec.taints;
        expect(judge(after, before)).toEqual(['ok']);
      }
    }
  });

  test('takes the key of the taint from the values', () => {
    const other = policySpec('node.startupTaint=example.com/not-yet');
    const before = node((n) => n.spec.taints.push({ ...ours, key: 'example.com/not-yet' }));
    expect(judge(node(), before, {}, other)).toEqual(['ok']);
    expect(judge(node(), before)).not.toEqual(['ok']);
  });

  const attacks: Record<string, (object: Json) => void> = {
    'another label': (n) => Object.assign(n.metadata.labels, { tenant: 'payments' }),
    "another label's value": (n) => Object.assign(n.metadata.labels, { disk: 'hdd' }),
    'a label taken away': (n) => delete n.metadata.labels.disk,
    'all labels taken away': (n) => delete n.metadata.labels,
    'an annotation': (n) => Object.assign(n.metadata.annotations, { a: 'b' }),
    'all annotations taken away': (n) => delete n.metadata.annotations,
    'an owner, whose end would be the end of the node': (n) =>
      Object.assign(n.metadata, { ownerReferences: [{ kind: 'Pod', name: 'a', uid: 'b' }] }),
    'a finalizer': (n) => Object.assign(n.metadata, { finalizers: ['a/b'] }),
    'another taint taken away': (n) => n.spec.taints.shift(),
    'all taints taken away': (n) => delete n.spec.taints,
    'a taint of its own': (n) => n.spec.taints.push({ key: 'a', effect: 'NoExecute' }),
    'our taint with another effect': (n) => n.spec.taints.push({ ...ours, effect: 'NoExecute' }),
    "another taint's effect": (n) => {
      n.spec.taints[0] = { ...dedicated, effect: 'PreferNoSchedule' };
    },
    'no pods any more': (n) => Object.assign(n.spec, { unschedulable: true }),
    'another range of addresses': (n) => Object.assign(n.spec, { podCIDR: '10.9.0.0/24' }),
    'a field that no version has yet': (n) => Object.assign(n.spec, { futureField: 1 }),
    'a range taken away': (n) => delete n.spec.podCIDR,
    capacity: (n) => Object.assign(n.status.capacity, { cpu: '400' }),
  };
  for (const [name, change] of Object.entries(attacks)) {
    test(`refuses ${name}`, () => {
      expect(judge(node(change), node())).toHaveLength(1);
      expect(judge(node(change), node())).not.toEqual(['ok']);
    });
  }

  test('refuses the takeover of a node: labels of tenants and roles, and no taint any more', () => {
    const taken = node((n) => {
      n.metadata.labels = {
        'node-restriction.kubernetes.io/tenant': 'payments',
        'node-role.kubernetes.io/control-plane': '',
      };
      n.spec = { taints: [], unschedulable: false };
    });
    expect(judge(taken, node()).length).toBeGreaterThan(1);
  });

  test('refuses other nodes, other ways and tokens of no node', () => {
    expect(judge(node(), node())).toEqual(['ok']);
    expect(judge(node(), node(), { node: 'worker-4' })).not.toEqual(['ok']);
    expect(judge(node(), node(), { node: undefined })).not.toEqual(['ok']);
    expect(judge(node(), node(), { subResource: 'status' })).not.toEqual(['ok']);
    expect(judge(node(), null, { operation: 'CREATE' })).not.toEqual(['ok']);
    expect(judge(null, node(), { operation: 'DELETE' })).not.toEqual(['ok']);
    expect(judge(node(), node(), { username: 'kubelet' })).toEqual(['not concerned']);
  });
});
