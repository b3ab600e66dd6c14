// SPDX-License-Identifier: Apache-2.0
// Asks a running daemon over its control socket.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { codeOf, messageOf } from '../errors.js';
import { ControlError } from './control-error.js';
import {
  type EndpointName,
  endpoints,
  errorReply,
  maxConnections,
  type Params,
  type Query,
  type Reply,
} from './protocol.js';

const answerTimeoutMs = 5_000;
const stopTimeoutMs = 60_000;
const stopPollMs = 5;

/**
 * Sends one request and checks the reply.
 *
 * @throws ControlError "not_running", "no_access", "no_answer", "bad_reply", or the daemon's own code
 */
export async function ask<Name extends EndpointName>(
  socketPath: string,
  name: Name,
  parts: RequestParts<Name> = {},
): Promise<Reply<Name>> {
  return await exchange(socketPath, name, { timeoutMs: answerTimeoutMs, parts });
}

/** What a request has besides its name. */
export interface RequestParts<Name extends EndpointName> {
  params?: Params<Name>;
  query?: Query<Name>;
  body?: Record<string, unknown>;
}

/**
 * Asks the daemon to stop and returns when it has: nothing is mounted, the socket is gone.
 *
 * @throws ControlError as `ask`
 */
export async function askToStop(socketPath: string): Promise<void> {
  // The worker closes a connection that is kept alive last of all.
  const agent = new HoldingAgent({ keepAlive: true });
  let closed: Promise<unknown> = Promise.resolve();
  const onSocket = (socket: Socket) => {
    closed = new Promise((resolve) => socket.once('close', resolve));
  };
  try {
    await exchange(socketPath, 'stop', { timeoutMs: stopTimeoutMs, agent, onSocket });
    await closed;
    // The keeper removes the socket last of all.
    for (const since = performance.now(); performance.now() - since < stopTimeoutMs; ) {
      if (!(await isListening(socketPath))) return;
      await setTimeout(stopPollMs);
    }
  } finally {
    agent.destroy();
  }
}

/** Node's own agent lets go of an idle socket, and then nothing would keep this process waiting. */
class HoldingAgent extends Agent {
  override keepSocketAlive(): boolean {
    return true;
  }
}

/** Whether somebody accepts connections on a socket; a file that is no socket is in nobody's use. */
export async function isListening(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = codeOf(error);
    // The kernel resets a connection that nobody had accepted when its listener was closed.
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return false;
    throw unreachable(socketPath, error);
  } finally {
    socket.destroy();
  }
}

interface ExchangeOptions {
  parts?: RequestParts<EndpointName>;
  timeoutMs: number;
  agent?: Agent;
  onSocket?: (socket: Socket) => void;
}

async function exchange<Name extends EndpointName>(
  socketPath: string,
  name: Name,
  { timeoutMs, agent, onSocket, parts = {} }: ExchangeOptions,
): Promise<Reply<Name>> {
  const { method } = endpoints[name];
  const path = urlOf(name, parts);
  const signal = AbortSignal.timeout(timeoutMs);
  let response: IncomingMessage;
  let body: string;
  try {
    const content = parts.body === undefined ? undefined : JSON.stringify(parts.body);
    const headers = {
      host: 'lensfs',
      ...(content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    };
    const outgoing = request({ socketPath, method, path, signal, headers, agent: agent ?? false });
    if (onSocket !== undefined) outgoing.once('socket', onSocket);
    outgoing.end(content);
    [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    body = await text(response);
  } catch (error) {
    throw unreachable(socketPath, error);
  }
  return readReply(name, response.statusCode ?? 0, body);
}

function readReply<Name extends EndpointName>(
  name: Name,
  httpStatus: number,
  body: string,
): Reply<Name> {
  const isText = 'contentType' in endpoints[name];
  const json = isText && httpStatus === 200 ? body : parseJson(body);
  if (httpStatus === 200) {
    const parsed = endpoints[name].reply.safeParse(json);
    if (parsed.success) return parsed.data as Reply<Name>;
  }
  const failure = errorReply.safeParse(json);
  if (failure.success) throw new ControlError(failure.data.error.code, failure.data.error.message);
  const message = `The daemon's answer to "${name}" is not one this version knows: restart it with this version`;
  throw new ControlError('bad_reply', message);
}

/** The path with its parameters in their places, and the query. */
function urlOf(name: EndpointName, { params, query }: RequestParts<EndpointName>): string {
  let path: string = endpoints[name].path;
  for (const [key, value] of Object.entries(params ?? {})) {
    const text = String(value).split('/').map(encodeURIComponent).join('/');
    path = path.replace(key === '*' ? '*' : `:${key}`, () => text);
  }
  const search = new URLSearchParams(
    Object.entries(query ?? {}).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)] as [string, string]],
    ),
  ).toString();
  return search === '' ? path : `${path}?${search}`;
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function unreachable(socketPath: string, error: unknown): ControlError {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new ControlError(
        'not_running',
        `No daemon listens on "${socketPath}": start one with "lensfs serve", or name its --run-dir`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
      return new ControlError('no_access', `May not open "${socketPath}": run this as root`, error);
    case 'ECONNRESET':
    case 'EPIPE':
      return new ControlError(
        'no_answer',
        `The daemon on "${socketPath}" closed the connection: it is ending, or has ${maxConnections} clients already`,
        error,
      );
    case 'ABORT_ERR':
      return new ControlError('no_answer', `No answer in time on "${socketPath}"`, error);
    default:
      return new ControlError(
        'no_answer',
        `Cannot talk to the daemon on "${socketPath}": ${messageOf(error)}`,
        error,
      );
  }
}
