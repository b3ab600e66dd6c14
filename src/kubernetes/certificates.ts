// SPDX-License-Identifier: Apache-2.0
// Certificates for the webhook. Each has an authority of its own, whose key is thrown away once it has signed: nobody
// can make a second certificate that the API server would trust.
import 'reflect-metadata';
import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of other machines may be behind. */
const backdateMs = 5 * 60_000;
export const lifetimeMs = 90 * 24 * 3_600_000;

/** All PEM. */
export interface KeyPair {
  cert: string;
  key: string;
  /** The authority that signed `cert`. */
  ca: string;
}

/** A certificate for a server of these names, from `now` on. */
export async function createKeyPair(dnsNames: readonly string[], now: Date): Promise<KeyPair> {
  const [caKeys, keys] = await Promise.all([generateKeys(), generateKeys()]);
  const validity = {
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(now.getTime() + lifetimeMs),
  };
  // A subject of its own: while two authorities are trusted, each must be found by its name.
  const caSubject = `CN=lensfs ${randomBytes(8).toString('hex')}`;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: caSubject,
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serialNumber(),
    subject: `CN=${dnsNames[0]}`,
    issuer: caSubject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    cert: pem(leaf.toString('pem')),
    key: pem(x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')),
    ca: pem(ca.toString('pem')),
  };
}

/** When a certificate ends, in ms since the epoch. */
export function servedUntil({ cert }: Pick<KeyPair, 'cert'>): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

/** Which part of its life a certificate has behind it; 1 and more when it has ended. */
export function lifeSpent({ cert }: Pick<KeyPair, 'cert'>, now: Date): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return (now.getTime() - from) / (to - from);
}

/** Whether a server with this certificate may call itself by all these names. */
export function isFor({ cert }: Pick<KeyPair, 'cert'>, dnsNames: readonly string[]): boolean {
  const certificate = new X509Certificate(cert);
  return dnsNames.every((name) => certificate.checkHost(name) !== undefined);
}

async function generateKeys() {
  return await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** Positive and not 0 in its first bits, as RFC 5280 wants it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function pem(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
