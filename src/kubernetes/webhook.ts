// SPDX-License-Identifier: Apache-2.0
// The webhook's life: a certificate, the server, new certificates, and an orderly end.
import { readFile } from 'node:fs/promises';
import { messageOf } from '../errors.js';
import type { LogLevel } from '../log-levels.js';
import { createLogger, logMessages } from '../logger.js';
import { ApiClient } from './api-client.js';
import {
  type CertificateSource,
  filesSource,
  followCertificate,
  managedSource,
} from './certificate-sources.js';
import { CertificateStore } from './certificate-store.js';
import { KubernetesError } from './kubernetes-error.js';
import { injectorName } from './names.js';
import type { ReviewOptions } from './pod-review.js';
import { WebhookServer } from './server.js';

export const tlsModes = ['self-managed', 'files'] as const;
export type TlsMode = (typeof tlsModes)[number];

export interface WebhookOptions {
  host: string | undefined;
  port: number;
  metricsPort: number;
  review: ReviewOptions;
  tls: {
    mode: TlsMode;
    /** For "files". */
    directory: string;
    /** How often a certificate is looked for. */
    intervalMs: number;
  };
  /** Whom it answers: clients with a certificate of the authorities in a file. Everybody when undefined. */
  clients?: { caFile: string; names: readonly string[] } | undefined;
  /** For "self-managed". */
  cluster: {
    server: string;
    credentialsDir: string;
    namespace: string;
    secretName: string;
  };
  drainMs: number;
  logLevel: LogLevel;
  /** Aborted when it is to stop. */
  signal: AbortSignal;
  /** The clock that the rotation goes by. */
  now?: () => Date;
  onListening?: (ports: { port: number; metricsPort: number }) => void;
}

/**
 * Serves reviews until the signal.
 *
 * @throws KubernetesError when it cannot start
 */
export async function runWebhook(options: WebhookOptions): Promise<void> {
  const { tls, signal } = options;
  const logger = createLogger(options.logLevel);
  const source = sourceFor(options);
  const first = await source();
  const clients = await readClients(options.clients);
  await using server = await WebhookServer.start({ ...options, clients, pair: first, logger });
  logger.info(server.ports(), logMessages.serving);
  options.onListening?.(server.ports());
  await followCertificate({
    source,
    current: first,
    intervalMs: tls.intervalMs,
    signal,
    onPair: (pair) => {
      server.use(pair);
      logger.info(logMessages.certificateInUse);
    },
    onFailure: (error) => {
      server.metrics.certificateFailures.inc();
      logger.error({ err: error }, logMessages.certificateFailed);
    },
  });
  logger.info(logMessages.draining);
}

/** @throws KubernetesError "unreadable" */
async function readClients(clients: WebhookOptions['clients']) {
  if (clients === undefined) return undefined;
  const { caFile, names } = clients;
  try {
    return { ca: await readFile(caFile, 'utf8'), names };
  } catch (error) {
    const message = `Cannot read the clients' authorities "${caFile}": ${messageOf(error)}`;
    throw new KubernetesError('unreadable', message, error);
  }
}

/** The names under which the API server reaches the webhook. */
export function serviceNames(namespace: string): string[] {
  const name = `${injectorName}.${namespace}.svc`;
  return [name, `${name}.cluster.local`];
}

function sourceFor({ tls, cluster, now }: WebhookOptions): CertificateSource {
  if (tls.mode === 'files') return filesSource(tls.directory);
  const { server, credentialsDir, namespace, secretName } = cluster;
  const api = new ApiClient({ server, credentialsDir });
  return managedSource({
    store: new CertificateStore({ api, namespace, secretName }),
    dnsNames: serviceNames(namespace),
    now: now ?? (() => new Date()),
  });
}
