// SPDX-License-Identifier: Apache-2.0
// Where the webhook's certificate comes from, and how a new one reaches the running server.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../errors.js';
import type { CertificateStore } from './certificate-store.js';
import { createKeyPair, type KeyPair } from './certificates.js';
import { KubernetesError } from './kubernetes-error.js';
import { type CertificateState, planRotation, type RotationStep, takeStep } from './rotation.js';

export type ServedPair = Pick<KeyPair, 'cert' | 'key'>;

/** Reads a certificate, or makes one; called again and again. */
export type CertificateSource = () => Promise<ServedPair>;

/** `tls.crt` and `tls.key` of a directory, which cert-manager or somebody else keeps up to date. */
export function filesSource(directory: string): CertificateSource {
  return async () => {
    try {
      // One after the other: of two that are missing, it is always the first that is named.
      const cert = await readFile(`${directory}/tls.crt`, 'utf8');
      const key = await readFile(`${directory}/tls.key`, 'utf8');
      // The kubelet switches both files at once, but not between our two reads.
      if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
        throw new Error('tls.key does not belong to tls.crt');
      }
      return { cert, key };
    } catch (error) {
      const message = `Cannot use the certificate in "${directory}": ${messageOf(error)}`;
      throw new KubernetesError('no_certificate', message, error);
    }
  };
}

export interface ManagedSourceOptions {
  store: CertificateStore;
  dnsNames: readonly string[];
  now: () => Date;
}

/** Of replicas that all write at once, one succeeds each time: more attempts than there are replicas. */
const maxAttempts = 20;

/** A certificate of our own; each call takes the steps of the rotation that are due. */
export function managedSource({ store, dnsNames, now }: ManagedSourceOptions): CertificateSource {
  return async () => {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const { state, version } = await store.read();
      const trusted = await store.trusted();
      const at = now();
      const step = planRotation({ state, trusted, dnsNames, now: at });
      if (step === undefined && state !== undefined) {
        const { bundle } = state;
        if (trusted === bundle.join('') || (await store.trust(bundle))) return state.pair;
      }
      // Read again, whether we wrote it or another replica did.
      if (step !== undefined)
        await store.write(await afterStep(step, state, dnsNames, at), version);
    }
    throw new KubernetesError(
      'no_certificate',
      'Cannot agree on a certificate with other replicas',
    );
  };
}

async function afterStep(
  step: RotationStep,
  state: CertificateState | undefined,
  dnsNames: readonly string[],
  at: Date,
): Promise<CertificateState> {
  const isNew = step === 'fresh' || step === 'stage';
  return takeStep(step, state, isNew ? await createKeyPair(dnsNames, at) : undefined, at);
}

export interface FollowOptions {
  source: CertificateSource;
  current: ServedPair;
  intervalMs: number;
  onPair: (pair: ServedPair) => void;
  onFailure: (error: unknown) => void;
  signal: AbortSignal;
}

/** Hands over each new certificate until aborted; a failure keeps the one that is served. */
export async function followCertificate(options: FollowOptions): Promise<void> {
  const { source, intervalMs, onPair, onFailure, signal } = options;
  let { current } = options;
  while (await sleepUnlessAborted(intervalMs, signal)) {
    try {
      const pair = await source();
      if (pair.cert === current.cert) continue;
      onPair(pair);
      current = pair;
    } catch (error) {
      onFailure(error);
    }
  }
}

async function sleepUnlessAborted(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
