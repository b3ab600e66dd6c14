// SPDX-License-Identifier: Apache-2.0
// Requests to a daemon's control socket, well and badly formed.
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  status: number;
  type: string;
  body: string;
}

/** One request on a connection of its own. */
export async function send(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const outgoing = request({ socketPath, method, path, headers, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? '',
    body: await text(response),
  };
}

/**
 * Bytes as they are; what comes back until the daemon closes.
 *
 * @throws {Error} when the daemon resets the connection
 */
export async function sendBytes(socketPath: string, bytes: string): Promise<string> {
  const socket = connect(socketPath);
  socket.end(bytes);
  return await text(socket);
}

/** Server-sent events as they come, without comments. */
export async function* readEvents(
  socketPath: string,
  signal: AbortSignal,
): AsyncGenerator<{ name: string; data: Record<string, unknown> }> {
  const outgoing = request({ socketPath, path: '/v1/events', agent: false, signal });
  outgoing.on('error', () => {});
  outgoing.end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  let waiting = '';
  for await (const chunk of response) {
    waiting += String(chunk);
    const blocks = waiting.split('\n\n');
    waiting = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) ?? [];
      if (name !== undefined && data !== undefined) yield { name, data: JSON.parse(data) };
    }
  }
}
