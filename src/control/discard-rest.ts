// SPDX-License-Identifier: Apache-2.0
// What a client still sends when it is refused. Closing a socket whose bytes nobody has read resets the connection, and
// the client may then fail at writing before it has looked for an answer.
import type { Readable } from 'node:stream';

/** Enough for an honest mistake; who sends more may lose the answer. */
const maxBytes = 1024 * 1024;
const maxMs = 1_000;

/** Reads a stream and drops it: to its end, a mebibyte, or for a second, whichever comes first. Never fails. */
export async function discardRest(stream: Readable): Promise<void> {
  let bytes = 0;
  const endings = ['end', 'close', 'error'] as const;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stream.off('data', onData);
      for (const ending of endings) stream.off(ending, done);
      resolve();
    };
    const onData = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < maxBytes) return;
      stream.pause();
      done();
    };
    const timer = setTimeout(done, maxMs);
    for (const ending of endings) stream.on(ending, done);
    stream.on('data', onData).resume();
  });
}
