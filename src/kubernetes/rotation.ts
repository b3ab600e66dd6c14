// SPDX-License-Identifier: Apache-2.0
// When a certificate is renewed, and in which steps. Pure.
//
//   fresh                      a pair that is served, and its authority in the bundle
//   stage     2/3 of its life  a next pair; the bundle is old + new; the old pair is served
//   promote   settled, and the API server trusts the new authority: the next pair is served
//   drop      settled: nobody serves the old pair any more; the bundle is the new authority
import { isFor, type KeyPair, lifeSpent } from './certificates.js';

/** What all replicas share, in one Secret. */
export interface CertificateState {
  pair: KeyPair;
  next?: KeyPair;
  /** The authorities that the API server is to trust. */
  bundle: readonly string[];
  changedAt: Date;
}

export type RotationStep = 'fresh' | 'stage' | 'promote' | 'drop';

/** How long a step is left alone: for every replica and every API server to have seen it. */
export const settleMs = 5 * 60_000;
const renewAt = 2 / 3;

export interface RotationInput {
  state: CertificateState | undefined;
  /** The bundle that the API server is known to use. */
  trusted: string;
  dnsNames: readonly string[];
  now: Date;
}

/** The next step; undefined when there is none to take now. */
export function planRotation(input: RotationInput): RotationStep | undefined {
  const { state, trusted, dnsNames, now } = input;
  if (state === undefined || lifeSpent(state.pair, now) >= 1 || !isFor(state.pair, dnsNames)) {
    return 'fresh';
  }
  const isSettled = now.getTime() - state.changedAt.getTime() >= settleMs;
  if (state.next !== undefined) {
    return isSettled && trusted.includes(state.next.ca.trim()) ? 'promote' : undefined;
  }
  if (state.bundle.length > 1) return isSettled ? 'drop' : undefined;
  return lifeSpent(state.pair, now) >= renewAt ? 'stage' : undefined;
}

/** The state after a step; `made` is the pair that "fresh" and "stage" begin with. */
export function takeStep(
  step: RotationStep,
  state: CertificateState | undefined,
  made: KeyPair | undefined,
  now: Date,
): CertificateState {
  if (step === 'fresh' || state === undefined) {
    const pair = present(made);
    return { pair, bundle: [pair.ca], changedAt: now };
  }
  const { pair, next, bundle } = state;
  switch (step) {
    case 'stage':
      return { pair, next: present(made), bundle: [pair.ca, present(made).ca], changedAt: now };
    case 'promote':
      return { pair: present(next), bundle, changedAt: now };
    case 'drop':
      return { pair, bundle: [pair.ca], changedAt: now };
  }
}

function present(pair: KeyPair | undefined): KeyPair {
  if (pair === undefined) throw new TypeError('A step of the rotation needs a key pair');
  return pair;
}
