// SPDX-License-Identifier: Apache-2.0
// Server-sent events to one client, who is cut off when it does not read them.
import type { ServerResponse } from 'node:http';
import { printableJson } from '../printable.js';

/** Something that happened. */
export interface ControlEvent {
  /** Such as "view-added". */
  name: string;
  data: Record<string, unknown>;
}

/** Where events come from. */
export interface EventSource {
  /** Calls `listener` until disposed. */
  subscribe(listener: (event: ControlEvent) => void): Disposable;
}

const keepAliveMs = 10_000;
/** What may wait for a client that reads slowly. */
const maxWaitingBytes = 64 * 1024;

/** Takes the response over and ends it when the client goes. */
export function streamEvents(response: ServerResponse, source: EventSource): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const write = (text: string) => {
    response.write(text);
    if (response.writableLength > maxWaitingBytes) response.destroy();
  };
  write(': lensfs events\n\n');
  const subscription = source.subscribe(({ name, data }) => {
    write(`event: ${name}\ndata: ${printableJson(data)}\n\n`);
  });
  const keepAlive = setInterval(() => write(': still here\n\n'), keepAliveMs);
  response.once('close', () => {
    clearInterval(keepAlive);
    subscription[Symbol.dispose]();
  });
}
