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

/** A daemon that refuses before it has read everything closes, and its answer may be lost with the rest. */
const maxAttempts = 20;

/** One request on a connection of its own; asked again when it was closed before an answer came. */
export async function send(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await sendOnce(socketPath, method, path, body, headers);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isClosed = code === 'EPIPE' || code === 'ECONNRESET';
      if (body === undefined || !isClosed || attempt === maxAttempts) throw error;
    }
  }
}

async function sendOnce(
  socketPath: string,
  method: string,
  path: string,
  body: string | undefined,
  headers: Record<string, string>,
): Promise<Answer> {
  const outgoing = request({ socketPath, method, path, headers, agent: false });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  outgoing.on('error', () => {}); // of what it has not read, after its answer
  return {
    status: response.statusCode ?? 0,
    type: response.headers['content-type'] ?? '',
    body: await text(response),
  };
}

/** Bytes as they are; what comes back until the daemon closes. */
export async function sendBytes(socketPath: string, bytes: string): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await sendBytesOnce(socketPath, bytes);
    if (answer !== '' || attempt === maxAttempts) return answer;
  }
}

async function sendBytesOnce(socketPath: string, bytes: string): Promise<string> {
  const socket = connect(socketPath);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.on('error', () => {});
  socket.end(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
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
