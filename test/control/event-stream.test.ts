// SPDX-License-Identifier: Apache-2.0
// A client of /v1/events that does not read.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { type ControlEvent, streamEvents } from '../../src/control/event-stream.js';
import { TempDir } from '../_support/temp-dir.js';

const bytesPerEvent = 100_000;
/** More than the kernel keeps for a socket, and what may wait besides. */
const eventCount = 50;

test('A client that does not read is cut off, and gets no further events', async () => {
  await using dir = await TempDir.create();
  const listeners = new Set<(event: ControlEvent) => void>();
  const source = {
    subscribe: (listener: (event: ControlEvent) => void) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  const server = createServer((_request, response) => streamEvents(response, source));
  await once(server.listen(dir.at('socket')), 'listening');
  const client = connect(dir.at('socket'));
  try {
    client.write('GET /v1/events HTTP/1.1\r\nhost: lensfs\r\n\r\n');
    await once(client, 'readable');
    await expect.poll(() => listeners.size).toBe(1);
    const text = 'x'.repeat(bytesPerEvent);
    let sent = 0;
    while (listeners.size > 0 && sent < eventCount) {
      for (const listener of listeners) listener({ name: 'test', data: { text } });
      sent += 1;
      await new Promise(setImmediate);
    }
    expect([listeners.size, sent < eventCount]).toEqual([0, true]);
    client.resume();
    await once(client, 'close');
  } finally {
    client.destroy();
    server.close();
  }
});
