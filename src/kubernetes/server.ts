// SPDX-License-Identifier: Apache-2.0
// The webhook over HTTPS, and its health and metrics over HTTP on a port of their own.
import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyInstance, fastify } from 'fastify';
import { codeOf, messageOf } from '../errors.js';
import { type Logger, logMessages } from '../logger.js';
import { withoutSchemas } from '../without-schemas.js';
import { type AdmissionPath, failed, parseReview, respond, review } from './admission.js';
import { type KeyPair, servedUntil } from './certificates.js';
import { type ClientIdentities, checkClients, trust } from './client-identity.js';
import { KubernetesError } from './kubernetes-error.js';
import { admissionPaths } from './names.js';
import type { Review, ReviewOptions } from './pod-review.js';
import { countRefused } from './refused-requests.js';
import { limitJson, limitReviews, maxBodyBytes } from './request-limits.js';
import { WebhookMetrics } from './webhook-metrics.js';

const defaultRequestTimeoutMs = 10_000;
const idleTimeoutMs = 120_000;
const maxConnections = 1024;

export interface WebhookServerOptions {
  port: number;
  /** Of /healthz, /readyz and /metrics. */
  metricsPort: number;
  /** Undefined: all addresses. */
  host: string | undefined;
  pair: Pick<KeyPair, 'cert' | 'key'>;
  review: ReviewOptions;
  /** Whom it answers; everybody when not given. */
  clients?: ClientIdentities | undefined;
  logger: Logger;
  /** How long it still accepts connections after it has said that it is not ready any more. */
  drainMs: number;
  /** How long a request may take to arrive; 10 seconds when not given. */
  requestTimeoutMs?: number;
}

/** Serves until disposed, which lets running requests finish. */
export class WebhookServer implements AsyncDisposable {
  readonly metrics = new WebhookMetrics();
  readonly #options: WebhookServerOptions;
  readonly #app: FastifyInstance;
  readonly #side: FastifyInstance;
  #isReady = false;

  private constructor(options: WebhookServerOptions) {
    this.#options = options;
    this.#app = this.#createApp(options);
    this.#side = this.#createSide();
    this.metrics.certificateExpiry.set(servedUntil(options.pair) / 1000);
  }

  /** @throws KubernetesError "listen_failed" */
  static async start(options: WebhookServerOptions): Promise<WebhookServer> {
    const server = new WebhookServer(options);
    const { host, port, metricsPort } = options;
    try {
      await listen(server.#app, host, port);
      await listen(server.#side, host, metricsPort);
    } catch (error) {
      await server.#close();
      const message = `Cannot listen on ${host ?? 'all addresses'}, ports ${port} and ${metricsPort}: ${messageOf(error)}`;
      throw new KubernetesError('listen_failed', message, error);
    }
    server.#isReady = true;
    return server;
  }

  /** The ports it got, where 0 asked for any. */
  ports(): { port: number; metricsPort: number } {
    const [port = 0, metricsPort = 0] = [this.#app, this.#side].map(portOf);
    return { port, metricsPort };
  }

  /** New connections get this certificate; those that are open keep theirs. */
  use(pair: Pick<KeyPair, 'cert' | 'key'>): void {
    const { server } = this.#app as unknown as { server: import('node:https').Server };
    server.setSecureContext({ ...pair, ...trust(this.#options.clients) });
    this.metrics.certificateExpiry.set(servedUntil(pair) / 1000);
  }

  /** Not ready first: who balances the load goes elsewhere before the first connection is refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isReady = false;
    await sleep(this.#options.drainMs);
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all([this.#app.close(), this.#side.close()]);
  }

  #createApp(options: WebhookServerOptions): FastifyInstance {
    const { pair, review: reviewOptions, logger } = options;
    const requestTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
    const app = fastify({
      ...withoutSchemas,
      https: {
        ...pair,
        ...trust(options.clients),
        minVersion: 'TLSv1.2',
        // Node looks for requests out of time only this often.
        connectionsCheckingInterval: requestTimeoutMs / 10,
      },
      bodyLimit: maxBodyBytes,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: idleTimeoutMs,
      forceCloseConnections: 'idle',
      return503OnClosing: false,
    }) as unknown as FastifyInstance;
    app.server.maxConnections = maxConnections;
    // Node ends a request whose body stalls only after the longer one of the two.
    app.server.headersTimeout = requestTimeoutMs;
    if (options.clients !== undefined) checkClients(app, options.clients);
    limitReviews(app);
    limitJson(app);
    for (const path of Object.values(admissionPaths)) {
      app.post(path, async (request, reply) => {
        const end = this.metrics.seconds.startTimer();
        const parsed = parseReview(request.body);
        if (!parsed.ok) return reply.code(400).send({ error: parsed.message });
        const done = review(path, parsed.request, reviewOptions);
        const answer = respond(parsed.request, done);
        this.#log(logger, path, parsed.request, done);
        this.metrics.reviews.inc({ result: done.result });
        end();
        return answer;
      });
    }
    app.setErrorHandler((error, request, reply) => {
      const status = (error as { statusCode?: number }).statusCode ?? 500;
      if (status < 500) return reply.code(status).send({ error: messageOf(error) });
      logger.error({ err: error }, logMessages.requestFailed);
      // Whatever it is that we fail at, nobody's pod is refused for it.
      const parsed = parseReview(request.body);
      if (!parsed.ok) return reply.code(status).send({ error: 'Internal error' });
      this.metrics.reviews.inc({ result: 'failed' });
      return reply.code(200).send(respond(parsed.request, failed(messageOf(error))));
    });
    countRefused(app, this.metrics);
    return app;
  }

  /** Never the object itself: it holds the environment, and with it secrets. */
  #log(logger: Logger, path: AdmissionPath, request: { uid: string }, done: Review): void {
    const { result, reason, containers } = done;
    const line = { uid: request.uid, path, result, reason, containers };
    if (result === 'failed') logger.error(line, logMessages.reviewFailed);
    else logger.debug(line, logMessages.reviewed);
  }

  #createSide(): FastifyInstance {
    const app = fastify({ ...withoutSchemas, forceCloseConnections: true });
    app.get('/healthz', async () => 'ok\n');
    app.get('/readyz', async (_request, reply) => {
      return this.#isReady ? 'ok\n' : reply.code(503).send('stopping\n');
    });
    app.get('/metrics', async (_request, reply) => {
      reply.type(this.metrics.registry.contentType);
      return await this.metrics.registry.metrics();
    });
    return app;
  }
}

async function listen(app: FastifyInstance, host: string | undefined, port: number): Promise<void> {
  try {
    await app.listen({ host: host ?? '::', port });
  } catch (error) {
    // A kernel without IPv6.
    if (host !== undefined || codeOf(error) !== 'EAFNOSUPPORT') throw error;
    await app.listen({ host: '0.0.0.0', port });
  }
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
