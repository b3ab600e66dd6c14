// SPDX-License-Identifier: Apache-2.0
// Whom the webhook answers, where it is told: clients with a certificate of an authority, and of certain names.
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance } from 'fastify';

export interface ClientIdentities {
  /** Authorities, PEM. */
  ca: string;
  /** Common names; any of the authority's certificates will do when there is none. */
  names: readonly string[];
}

/** What TLS asks of a client: a certificate of the authorities, where some are named. */
export function trust(clients: ClientIdentities | undefined) {
  if (clients === undefined) return {};
  return { ca: clients.ca, requestCert: true, rejectUnauthorized: true };
}

/** Refuses whoever has one of another name: the authority may sign for more than those that call. */
export function checkClients(app: FastifyInstance, { names }: ClientIdentities): void {
  if (names.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    const { subject } = (request.raw.socket as TLSSocket).getPeerCertificate();
    // Several common names make an array, whatever the types say.
    const common: unknown = subject?.CN;
    if (typeof common === 'string' && names.includes(common)) return;
    await reply.code(403).send({ error: 'The certificate is of another client' });
  });
}
