// SPDX-License-Identifier: Apache-2.0
// The webhook's certificate as cert-manager makes it. Pure.
//
// What the API server trusts is an authority that outlives many certificates: were each its own, the bundle and the
// one that is served would change at different moments, and calls between them would fail.
import { injectorName } from '../names.js';
import type { Inputs } from './inputs.js';
import { type KubernetesObject, namespaced } from './manifest.js';

const rootName = `${injectorName}-root`;
const authorityName = `${injectorName}-ca`;

export function certManagerObjects(inputs: Inputs): KubernetesObject[] {
  const { namespace, values } = inputs;
  const authoritySecret = `${values.tls.secretName}-ca`;
  const serverName = `${injectorName}.${namespace}.svc`;
  const key = { algorithm: 'ECDSA', size: 256 };
  return [
    issuer(inputs, rootName, { selfSigned: {} }),
    certificate(inputs, authorityName, {
      isCA: true,
      commonName: authorityName,
      secretName: authoritySecret,
      issuerRef: { kind: 'Issuer', name: rootName },
      duration: '87600h',
      renewBefore: '8760h',
      // A renewed authority with the same key vouches for what the one before has signed.
      privateKey: { ...key, rotationPolicy: 'Never' },
    }),
    issuer(inputs, authorityName, { ca: { secretName: authoritySecret } }),
    certificate(inputs, injectorName, {
      secretName: values.tls.secretName,
      dnsNames: [serverName, `${serverName}.cluster.local`],
      usages: ['server auth'],
      issuerRef: { kind: 'Issuer', name: authorityName },
      duration: '2160h',
      renewBefore: '720h',
      privateKey: { ...key, rotationPolicy: 'Always' },
    }),
  ];
}

function issuer(inputs: Inputs, name: string, spec: object): KubernetesObject {
  const metadata = namespaced(inputs, name, 'webhook');
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata, spec };
}

function certificate(inputs: Inputs, name: string, spec: object): KubernetesObject {
  const metadata = namespaced(inputs, name, 'webhook');
  return { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata, spec };
}
