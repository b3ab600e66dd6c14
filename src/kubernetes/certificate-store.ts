// SPDX-License-Identifier: Apache-2.0
// Where replicas share their certificate: a Secret, and the webhook configuration that says whom to trust.
import type { ApiClient } from './api-client.js';
import { injectorName } from './names.js';
import type { CertificateState } from './rotation.js';

export interface CertificateStoreOptions {
  api: ApiClient;
  namespace: string;
  secretName: string;
}

interface Secret {
  metadata: { resourceVersion: string };
  data?: Record<string, string> | null;
}

interface WebhookConfiguration {
  metadata: { resourceVersion: string };
  webhooks?: { clientConfig: { caBundle?: string } }[];
}

const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${injectorName}`;

/** Each reader sees what others wrote; of two writers at once, one is told to read again. */
export class CertificateStore {
  readonly #api: ApiClient;
  readonly #secretPath: string;

  constructor({ api, namespace, secretName }: CertificateStoreOptions) {
    this.#api = api;
    this.#secretPath = `/api/v1/namespaces/${namespace}/secrets/${secretName}`;
  }

  /** `version` goes back into `write`. */
  async read(): Promise<{ state: CertificateState | undefined; version: Secret }> {
    const secret = await this.#api.get<Secret>(this.#secretPath);
    return { state: decode(secret.data ?? {}), version: secret };
  }

  /** False when another replica was faster. */
  async write(state: CertificateState, version: Secret): Promise<boolean> {
    return await this.#api.replace(this.#secretPath, { ...version, data: encode(state) });
  }

  /** What all webhooks of the configuration trust; "" when they differ. */
  async trusted(): Promise<string> {
    const bundles = bundlesOf(await this.#api.get<WebhookConfiguration>(configurationPath));
    const [first = ''] = bundles;
    return bundles.every((bundle) => bundle === first)
      ? Buffer.from(first, 'base64').toString()
      : '';
  }

  /** Makes all webhooks of the configuration trust this bundle and no other; false when somebody else was faster. */
  async trust(bundle: readonly string[]): Promise<boolean> {
    const configuration = await this.#api.get<WebhookConfiguration>(configurationPath);
    const { resourceVersion } = configuration.metadata;
    const value = Buffer.from(bundle.join('')).toString('base64');
    return await this.#api.patch(configurationPath, 'json-patch', [
      { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion },
      ...bundlesOf(configuration).map((_, index) => ({
        op: 'add',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value,
      })),
    ]);
  }
}

function bundlesOf({ webhooks }: WebhookConfiguration): string[] {
  return (webhooks ?? []).map(({ clientConfig }) => clientConfig.caBundle ?? '');
}

/** The keys of a kubernetes.io/tls Secret, so that others can read it too, and the next pair's. */
function encode({ pair, next, bundle, changedAt }: CertificateState): Record<string, string> {
  const texts = {
    'tls.crt': pair.cert,
    'tls.key': pair.key,
    'tls-ca.crt': pair.ca,
    'ca.crt': bundle.join(''),
    changed: changedAt.toISOString(),
    ...(next && { 'next.crt': next.cert, 'next.key': next.key, 'next-ca.crt': next.ca }),
  };
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
}

function decode(data: Record<string, string>): CertificateState | undefined {
  const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString();
  const pair = (name: string) => ({
    cert: text(`${name}.crt`),
    key: text(`${name}.key`),
    ca: text(`${name}-ca.crt`),
  });
  const [served, next] = [pair('tls'), pair('next')];
  const changedAt = new Date(text('changed'));
  const isComplete = Object.values(served).every((part) => part !== '');
  if (!isComplete || Number.isNaN(changedAt.getTime())) return undefined;
  return {
    pair: served,
    ...(next.cert !== '' && { next }),
    bundle: text('ca.crt').match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g) ?? [],
    changedAt,
  };
}
