// SPDX-License-Identifier: Apache-2.0
// The webhook's pods run in a namespace that enforces "restricted"; the agent's could not.
import { describe, expect, test } from 'vitest';
import { knownInputs } from '../../src/kubernetes/manifests/inputs.js';
import { parseValues } from '../../src/kubernetes/manifests/parse-values.js';
import { buildObjects } from '../../src/kubernetes/manifests/render.js';
import { ownNamespace } from '../../src/kubernetes/names.js';
import { restrictedViolations } from '../_support/pod-security.js';
import type { Json } from './fixtures/fixture.js';

function podSpecOf(kind: string, ...sets: string[]): Json {
  const objects = buildObjects(knownInputs(parseValues({ sets }), ownNamespace, '0'));
  const found = objects.find(({ kind: own }) => own === kind) as Json;
  return JSON.parse(JSON.stringify(found.spec.template.spec));
}

describe('Pod Security "restricted"', () => {
  test.each(['self-managed', 'cert-manager', 'existing-secret'])(
    'has nothing against the webhook with a certificate of %s',
    (mode) => {
      const sets = [
        `tls.mode=${mode}`,
        ...(mode === 'existing-secret' ? ['tls.caBundle=QQ=='] : []),
      ];
      expect(restrictedViolations(podSpecOf('Deployment', ...sets))).toEqual([]);
    },
  );

  test('has much against the agent', () => {
    expect(restrictedViolations(podSpecOf('DaemonSet'))).toEqual(
      expect.arrayContaining([
        'hostPID',
        expect.stringMatching(/^volume /),
        expect.stringMatching(/: privileged$/),
        expect.stringMatching(/: runAsNonRoot$/),
      ]),
    );
  });
});
