// SPDX-License-Identifier: Apache-2.0
import { beforeAll, describe, expect, test } from 'vitest';
import { createKeyPair, type KeyPair, lifetimeMs } from '../../src/kubernetes/certificates.js';
import {
  type CertificateState,
  planRotation,
  settleMs,
  takeStep,
} from '../../src/kubernetes/rotation.js';

const start = new Date('2026-01-01T00:00:00Z');
const dnsNames = ['lensfs-injector.lensfs-system.svc'];
const at = (ms: number) => new Date(start.getTime() + ms);

let old: KeyPair;
let fresh: KeyPair;
beforeAll(async () => {
  old = await createKeyPair(dnsNames, start);
  fresh = await createKeyPair(dnsNames, at(lifetimeMs * 0.7));
});

function plan(
  state: CertificateState | undefined,
  now: Date,
  trusted = state?.bundle.join('') ?? '',
) {
  return planRotation({ state, trusted, dnsNames, now });
}

describe('planRotation()', () => {
  test('begins when there is nothing', () => {
    expect(plan(undefined, start)).toBe('fresh');
  });

  test('begins again when the certificate has ended, or is for other names', () => {
    const state = takeStep('fresh', undefined, old, start);
    expect(plan(state, at(lifetimeMs + 1000))).toBe('fresh');
    expect(planRotation({ state, trusted: '', dnsNames: ['other.svc'], now: start })).toBe('fresh');
  });

  test('does nothing for two thirds of the life', () => {
    const state = takeStep('fresh', undefined, old, start);
    for (const part of [0, 0.1, 0.5, 0.66])
      expect(plan(state, at(lifetimeMs * part))).toBeUndefined();
    expect(plan(state, at(lifetimeMs * 0.67))).toBe('stage');
  });

  test('goes through all steps, each when the one before has settled', () => {
    const time = lifetimeMs * 0.7;
    const staged = takeStep('stage', takeStep('fresh', undefined, old, start), fresh, at(time));
    expect(staged).toMatchObject({ pair: old, next: fresh, bundle: [old.ca, fresh.ca] });
    expect(plan(staged, at(time + settleMs - 1))).toBeUndefined();
    expect(plan(staged, at(time + settleMs))).toBe('promote');
    const promoted = takeStep('promote', staged, undefined, at(time + settleMs));
    expect(promoted).toMatchObject({ pair: fresh, bundle: [old.ca, fresh.ca] });
    expect(promoted.next).toBeUndefined();
    expect(plan(promoted, at(time + 2 * settleMs - 1))).toBeUndefined();
    expect(plan(promoted, at(time + 2 * settleMs))).toBe('drop');
    const dropped = takeStep('drop', promoted, undefined, at(time + 2 * settleMs));
    expect(dropped).toMatchObject({ pair: fresh, bundle: [fresh.ca] });
    expect(plan(dropped, at(time + 3 * settleMs))).toBeUndefined();
  });

  test('never serves what the API server does not trust', () => {
    const time = lifetimeMs * 0.7;
    const staged = takeStep('stage', takeStep('fresh', undefined, old, start), fresh, at(time));
    for (const trusted of ['', old.ca]) {
      expect(plan(staged, at(time + 100 * settleMs), trusted)).toBeUndefined();
    }
  });
});
