// SPDX-License-Identifier: Apache-2.0
// Counts the requests to the webhook that get no review, also those that Node.js ends before there is a handler.
import type { FastifyInstance } from 'fastify';
import { codeOf } from '../errors.js';
import type { WebhookMetrics } from './webhook-metrics.js';

const aborted = 'aborted';

/** Counts each request once: by the status it was refused with, or as "aborted". */
export function countRefused(app: FastifyInstance, metrics: WebhookMetrics): void {
  const answered = new WeakSet<object>();
  const endedConnections = new WeakSet<object>();
  app.addHook('onSend', async ({ raw }) => {
    answered.add(raw);
    // Nothing more comes over this connection than the rest of the request that is answered.
    if (!raw.complete) endedConnections.add(raw.socket);
  });
  // It goes on when the rest has come.
  app.addHook('onRequest', async ({ raw }) => {
    endedConnections.delete(raw.socket);
  });
  app.addHook('onResponse', async (_request, reply) => {
    if (reply.statusCode !== 200) metrics.refused.inc({ status: reply.statusCode });
  });
  // Whoever gets an answer before all is sent may hang up then.
  app.addHook('onRequestAbort', async ({ raw }) => {
    if (!answered.has(raw) && !endedConnections.has(raw.socket)) {
      metrics.refused.inc({ status: aborted });
    }
  });
  app.server.on('clientError', (error, socket) => {
    const status = statusOf(codeOf(error));
    if (status === undefined || (status === aborted && endedConnections.has(socket))) return;
    endedConnections.add(socket);
    metrics.refused.inc({ status });
  });
  app.server.on('tlsClientError', () => metrics.failedHandshakes.inc());
}

/** What Fastify answers to an error of the HTTP parser; undefined for errors of the connection. */
function statusOf(code = ''): string | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return '408';
  if (code === 'HPE_HEADER_OVERFLOW') return '431';
  if (code === 'HPE_INVALID_EOF_STATE') return aborted;
  return code.startsWith('HPE_') ? '400' : undefined;
}
