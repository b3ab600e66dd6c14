// SPDX-License-Identifier: Apache-2.0
// What one request, and all requests together, may cost the webhook: nobody makes it need more memory than it has.
import type { FastifyInstance, FastifyReply } from 'fastify';
import { excessOf } from './json-size.js';
import { ReviewsUnderWay } from './reviews-under-way.js';

/** Two objects of etcd's largest size, 1.5 MiB each. */
export const maxBodyBytes = 3 * 1024 * 1024;
/** Ten thousand variables of an environment, with what the API server notes about their managers. */
const jsonLimits = { maxDepth: 64, maxElements: 100_000 };
/** A review that is too large, or that there is no place for, is refused before its body is read. */
export function limitReviews(app: FastifyInstance): void {
  const underWay = new ReviewsUnderWay();
  app.addHook('onRequest', async (request, reply) => {
    const text = request.headers['content-length'];
    const length = text === undefined ? undefined : Number(text);
    if (length !== undefined && length > maxBodyBytes) {
      await refuse(reply, 413, `The body has more than ${maxBodyBytes} bytes`);
      return;
    }
    const release = underWay.take(length);
    if (release !== undefined) reply.raw.once('close', release);
    else await refuse(reply.header('retry-after', '1'), 429, 'Too many reviews under way');
  });
}

/**
 * Answers at once, while the client still sends. Node.js reads and drops the rest, within the request's time, of a
 * connection that goes on; one that is closed before that fails the client at writing, and the answer is lost.
 */
async function refuse(reply: FastifyReply, status: number, error: string): Promise<void> {
  await reply.code(status).header('connection', 'keep-alive').send({ error });
}

/** Looks at the bytes first: what a text would become may be twenty times its size. */
export function limitJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request, body: Buffer, done) => {
      const excess = excessOf(body, jsonLimits);
      if (excess === undefined) return parse(request, body.toString(), done);
      done(Object.assign(new Error(`The body has ${excess}`), { statusCode: 413 }));
    },
  );
}
