// SPDX-License-Identifier: Apache-2.0
// The objects of the cluster in which replicas of the webhook keep their certificate.
import type { ApiServer } from './api-server.js';

export const secretPath = '/api/v1/namespaces/lensfs-system/secrets/lensfs-injector-tls';
export const configurationPath =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/lensfs-injector';

/** As they are when the manifests have been applied and no webhook has started yet. */
export function putWebhookObjects(api: ApiServer): void {
  api.put(secretPath, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'lensfs-injector-tls' },
  });
  api.put(configurationPath, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'lensfs-injector' },
    webhooks: [
      { name: 'a.b.c', clientConfig: {} },
      { name: 'd.e.f', clientConfig: {} },
    ],
  });
}

/** The authorities that the API server trusts for one of the webhooks, in PEM. */
export function trustedBy(api: ApiServer, index = 0): string {
  const { webhooks } = api.objects.get(configurationPath);
  return Buffer.from(webhooks[index].clientConfig.caBundle, 'base64').toString();
}

/** How many authorities the API server trusts; -1 while its webhooks differ. */
export function countTrusted(api: ApiServer): number {
  const [one, two] = [trustedBy(api, 0), trustedBy(api, 1)];
  return one === two ? one.split('BEGIN CERTIFICATE').length - 1 : -1;
}

/** A text of the Secret. */
export function secretText(api: ApiServer, key: string): string {
  return Buffer.from(api.objects.get(secretPath).data[key], 'base64').toString();
}

/** Sets texts of the Secret, as another replica would. */
export function putSecretTexts(api: ApiServer, texts: Record<string, string>): void {
  const secret = api.objects.get(secretPath);
  const encoded = Object.entries(texts).map(([key, text]) => [
    key,
    Buffer.from(text).toString('base64'),
  ]);
  api.put(secretPath, { ...secret, data: { ...secret.data, ...Object.fromEntries(encoded) } });
}
