// SPDX-License-Identifier: Apache-2.0
// The control socket: HTTP and JSON for the requests of protocol.ts.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { liveConfigJsonSchema } from '../config/default-file.js';
import { codeOf, messageOf } from '../errors.js';
import { type Logger, logMessages } from '../logger.js';
import { printableJson } from '../printable.js';
import { withoutSchemas } from '../without-schemas.js';
import { z } from '../zod.js';
import { CauseLimiter } from './cause-limiter.js';
import { discardRest } from './discard-rest.js';
import { type EventSource, streamEvents } from './event-stream.js';
import { describeApi } from './openapi.js';
import {
  describeIssue,
  type EndpointName,
  type ErrorCode,
  endpoints,
  errorBody,
  errorCodeFor,
  errorStatus,
  maxConnections,
  methodsOf,
  type Outcome,
  type Reply,
  type Request,
} from './protocol.js';

/** What is answered here. */
type OwnName = 'events' | 'openapi';

/** What answers: one function for each request. */
export type ControlHandlers = {
  [Name in Exclude<EndpointName, OwnName>]: (
    request: Request<Name>,
  ) => Promise<Outcome<Reply<Name>>>;
};

/** Who is at the other end of a connection, as of the connect. */
export interface Peer {
  pid: number;
  uid: number;
  gid: number;
}

export interface ControlServerOptions {
  /** The listening socket, which stays open when the server ends. */
  socket: number;
  handlers: ControlHandlers;
  events: EventSource;
  version: string;
  /** Of the descriptor of a connection; `null` when nobody knows. */
  peerOf: (fd: number) => Peer | null;
  logger: Logger;
}

const noBody = z.union([z.undefined(), z.strictObject({})], { error: 'expected none' });

const jsonType = 'application/json; charset=utf-8';
const maxBodyBytes = 64 * 1024;
const maxUrlParameterChars = 4_096;
/** For a whole request, its head included. */
const requestTimeoutMs = 5_000;
/** How often requests are looked at that are not there yet. */
const timeoutSweepMs = 1_000;
/** Of a client that neither sends nor takes anything. */
const idleTimeoutMs = 30_000;
const keepAliveMs = 5_000;
const idleSweepMs = 10;

/** Answers until disposed, which lets running requests finish. */
export class ControlServer implements AsyncDisposable {
  readonly #app: FastifyInstance;
  readonly #streams: ReadonlySet<ServerResponse>;
  #isClosing = false;

  private constructor(app: FastifyInstance, streams: ReadonlySet<ServerResponse>) {
    this.#app = app;
    this.#streams = streams;
    // Closing ends the connections that are idle then; one that still owes an answer is idle later.
    app.addHook('onResponse', async () => {
      if (this.#isClosing) setImmediate(() => app.server.closeIdleConnections());
    });
  }

  static async start(options: ControlServerOptions): Promise<ControlServer> {
    const streams = new Set<ServerResponse>();
    const app = createApp(options, streams);
    const server = new ControlServer(app, streams);
    await app.ready();
    await new Promise<void>((resolve, reject) => {
      app.server.once('error', reject);
      app.server.listen({ fd: options.socket }, resolve);
    });
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) stream.end();
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

function createApp(options: ControlServerOptions, streams: Set<ServerResponse>): FastifyInstance {
  const { logger } = options;
  const failures = new CauseLimiter();
  const app = fastify({
    ...withoutSchemas,
    bodyLimit: maxBodyBytes,
    // Of a view's id, which is a path of a cgroup and longest in Kubernetes.
    routerOptions: { maxParamLength: maxUrlParameterChars },
    requestTimeout: requestTimeoutMs,
    connectionTimeout: idleTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    // Also where Node.js makes its own of it: the time for a head, which counts for the whole when it is the longer one.
    http: { connectionsCheckingInterval: timeoutSweepMs, requestTimeout: requestTimeoutMs },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    frameworkErrors: (error, _request, reply) => {
      refuse(reply as FastifyReply, 'bad_request', messageOf(error));
    },
    clientErrorHandler: (error, socket) => endConnection(socket, codeOf(error)),
  });
  app.server.maxConnections = maxConnections;
  app.addHook('onSend', async ({ raw }, reply) => {
    if (raw.complete) return;
    await discardRest(raw);
    if (!raw.complete) reply.header('connection', 'close');
  });

  app.setReplySerializer((payload) => printableJson(payload));

  for (const name of Object.keys(endpoints) as EndpointName[]) {
    const { method, path } = endpoints[name];
    app.route({
      method,
      url: path,
      handler: async (request, reply) => {
        logRequest(request, options);
        if (name === 'events') {
          reply.hijack();
          streams.add(reply.raw);
          reply.raw.once('close', () => streams.delete(reply.raw));
          streamEvents(reply.raw, options.events);
          return reply;
        }
        const outcome = await answer(name, request, options);
        if (!outcome.ok) return refuse(reply, outcome.code, outcome.message);
        const endpoint = endpoints[name];
        const contentType = 'contentType' in endpoint ? endpoint.contentType : jsonType;
        return reply.type(contentType).send(endpoint.reply.parse(outcome.reply));
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
    const skipped = failures.admit(messageOf(error), performance.now());
    if (skipped !== null) {
      const { method, url } = request;
      logger.error({ err: error, method, url, skipped }, logMessages.requestFailed);
    }
    return refuse(reply, code, 'Internal error, see the log');
  });
  return app;
}

async function answer(
  name: Exclude<EndpointName, 'events'>,
  request: FastifyRequest,
  { handlers, version }: ControlServerOptions,
): Promise<Outcome<unknown>> {
  const endpoint = endpoints[name];
  const parts = {
    params: [endpoint.params, request.params],
    query: [endpoint.query, request.query],
    body: ['body' in endpoint ? endpoint.body : noBody, request.body ?? undefined],
  } as const;
  const checked: Record<string, unknown> = {};
  for (const [part, [schema, value]] of Object.entries(parts)) {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const message = `${request.method} ${endpoint.path}: ${part}: ${describeIssue(parsed.error, value)}`;
      return { ok: false, code: 'bad_request', message };
    }
    checked[part] = parsed.data;
  }
  if (name === 'openapi')
    return { ok: true, reply: describeApi(version, { changeConfig: liveConfigJsonSchema() }) };
  const handler = handlers[name] as (request: unknown) => Promise<Outcome<unknown>>;
  return await handler(checked);
}

/** Who only looks is logged for those who look closely. */
function logRequest(request: FastifyRequest, { logger, peerOf }: ControlServerOptions): void {
  const level = request.method === 'GET' ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const { _handle: handle } = request.raw.socket as { _handle?: { fd?: number } };
  const peer = handle?.fd === undefined ? null : peerOf(handle.fd);
  logger[level]({ method: request.method, url: request.url, peer }, logMessages.request);
}

/** For bytes that are no HTTP request, and for half a request: there is no reply object to use. */
function endConnection(socket: Socket, errorCode: string | undefined): void {
  if (socket.writableEnded) return; // what comes after it is no HTTP either
  const [code, message, reason] =
    errorCode === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? (['timeout', `No whole request within ${requestTimeoutMs} ms`, 'Request Timeout'] as const)
      : (['bad_request', 'Not an HTTP request', 'Bad Request'] as const);
  const body = printableJson(errorBody(code, message));
  const head = `HTTP/1.1 ${errorStatus[code]} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  if (socket.writable) socket.end(head + body);
  socket.removeAllListeners('data'); // the parser's
  // Also when the other side stays: its place is for others.
  void discardRest(socket).then(() => socket.destroySoon());
}

function refuse(reply: FastifyReply, code: ErrorCode, message: string): FastifyReply {
  return reply.code(errorStatus[code]).send(errorBody(code, message));
}
