// SPDX-License-Identifier: Apache-2.0
// The control socket: HTTP and JSON for the requests of protocol.ts.
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { messageOf } from '../errors.js';
import { type Logger, logMessages } from '../logger.js';
import {
  type EndpointName,
  type ErrorCode,
  endpoints,
  errorBody,
  errorCodeFor,
  errorStatus,
  methodsOf,
  type Outcome,
  type Reply,
} from './protocol.js';

/** What answers: one function for each request. */
export type ControlHandlers = {
  [Name in EndpointName]: () => Promise<Outcome<Reply<Name>>>;
};

export interface ControlServerOptions {
  /** The listening socket, which stays open when the server ends. */
  socket: number;
  handlers: ControlHandlers;
  logger: Logger;
}

const maxBodyBytes = 64 * 1024;
const maxConnections = 64;
const requestTimeoutMs = 10_000;
const idleSweepMs = 10;

/** Answers until disposed, which lets running requests finish. */
export class ControlServer implements AsyncDisposable {
  readonly #app: FastifyInstance;
  #isClosing = false;

  private constructor(app: FastifyInstance) {
    this.#app = app;
    // Closing ends the connections that are idle then; one that still owes an answer is idle later.
    app.addHook('onResponse', async () => {
      if (this.#isClosing) setImmediate(() => app.server.closeIdleConnections());
    });
  }

  static async start(options: ControlServerOptions): Promise<ControlServer> {
    const app = createApp(options);
    const server = new ControlServer(app);
    await app.ready();
    await new Promise<void>((resolve, reject) => {
      app.server.once('error', reject);
      app.server.listen({ fd: options.socket }, resolve);
    });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A connection whose reply was written a moment ago is not idle yet, and is kept alive by who asked to stop.
    const sweep = setInterval(() => this.#app.server.closeIdleConnections(), idleSweepMs);
    try {
      // The library closes what it has opened itself.
      await new Promise<void>((resolve) => this.#app.server.close(() => resolve()));
      await this.#app.close();
    } finally {
      clearInterval(sweep);
    }
  }
}

function createApp({ handlers, logger }: ControlServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: maxBodyBytes,
    requestTimeout: requestTimeoutMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => {
      refuse(reply as FastifyReply, 'bad_request', messageOf(error));
    },
    // Called for bytes that are no HTTP request: there is no reply object to use.
    clientErrorHandler: (_error, socket) => {
      const body = JSON.stringify(errorBody('bad_request', 'Not an HTTP request'));
      const head = `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
      if (socket.writable) socket.end(head + body);
    },
  });
  app.server.maxConnections = maxConnections;

  for (const name of Object.keys(endpoints) as EndpointName[]) {
    const { method, path } = endpoints[name];
    app.route({
      method,
      url: path,
      handler: async (_request, reply) => {
        const outcome = await handlers[name]();
        return outcome.ok ? outcome.reply : refuse(reply, outcome.code, outcome.message);
      },
    });
  }

  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf(request.url);
    if (methods.length === 0) return refuse(reply, 'not_found', `No such path "${request.url}"`);
    reply.header('allow', methods.join(', '));
    const message = `Expected ${methods.join(' or ')}, got ${request.method}`;
    return refuse(reply, 'method_not_allowed', message);
  });

  app.setErrorHandler((error, request, reply) => {
    const httpStatus = (error as { statusCode?: number }).statusCode ?? 500;
    const code = errorCodeFor(httpStatus);
    if (code !== 'internal') return refuse(reply, code, messageOf(error));
    logger.error(
      { err: error, method: request.method, url: request.url },
      logMessages.requestFailed,
    );
    return refuse(reply, code, 'Internal error, see the log');
  });
  return app;
}

function refuse(reply: FastifyReply, code: ErrorCode, message: string): FastifyReply {
  return reply.code(errorStatus[code]).send(errorBody(code, message));
}
