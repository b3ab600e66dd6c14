// SPDX-License-Identifier: Apache-2.0
// GET /metrics on a TCP address, for a Prometheus that cannot reach the control socket. Nothing else is there.
import { type FastifyInstance, fastify } from 'fastify';
import { messageOf } from '../errors.js';
import { withoutSchemas } from '../without-schemas.js';
import { ControlError } from './control-error.js';
import { endpoints } from './protocol.js';

const requestTimeoutMs = 5_000;
const maxConnections = 16;

/** Listens until disposed. */
export class MetricsListener implements AsyncDisposable {
  readonly #app: FastifyInstance;

  private constructor(app: FastifyInstance) {
    this.#app = app;
  }

  /**
   * `address` is such as "127.0.0.1:9910" or "[::1]:9910"; port 0 is any.
   *
   * @throws ControlError "socket_failed"
   */
  static async start(address: string, write: () => string): Promise<MetricsListener> {
    const separator = address.lastIndexOf(':');
    const host = address.slice(0, separator).replace(/^\[|\]$/g, '');
    const app = fastify({
      ...withoutSchemas,
      bodyLimit: 1_024,
      requestTimeout: requestTimeoutMs,
      connectionTimeout: requestTimeoutMs,
      forceCloseConnections: true,
    });
    app.server.maxConnections = maxConnections;
    app.get('/metrics', (_request, reply) => {
      return reply.type(endpoints.metrics.contentType).send(write());
    });
    try {
      await app.listen({ host, port: Number(address.slice(separator + 1)) });
    } catch (error) {
      await app.close();
      const message = `metrics.listen: cannot listen on ${address}: ${messageOf(error)}`;
      throw new ControlError('socket_failed', message, error);
    }
    return new MetricsListener(app);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#app.close();
  }
}
