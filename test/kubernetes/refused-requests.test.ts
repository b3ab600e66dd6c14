// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createKeyPair, type KeyPair } from '../../src/kubernetes/certificates.js';
import { WebhookServer } from '../../src/kubernetes/server.js';
import { createLogger } from '../../src/logger.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';
import { WebhookClient, webhookHost } from '../_support/webhook.js';
import { pod, reviewOf } from './fixtures/fixture.js';

const path = '/mutate/pods/namespace';

async function start(pair: KeyPair): Promise<WebhookServer> {
  return await WebhookServer.start({
    ...{ port: 0, metricsPort: 0, host: '127.0.0.1', drainMs: 0, pair },
    review: { tree: '/var/lib/lensfs', files: ['proc/meminfo'] },
    logger: createLogger('fatal'),
  });
}

/** What came back over a connection, until the other side ended it or everything was said. */
function replyTo(port: number, ca: string, bytes: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: webhookHost });
  return new Promise((resolve, reject) => {
    socket.once('data', (data) => {
      resolve(String(data));
      socket.destroy();
    });
    socket.on('error', reject);
    socket.write(bytes);
  });
}

/** Such as "404 2", in order. */
async function refusedBy({ metrics }: WebhookServer): Promise<string[]> {
  const { values } = await metrics.refused.get();
  return values.map(({ labels, value }) => `${labels.status} ${value}`).sort();
}

describe('the webhook', () => {
  test('counts each request that gets no review once, by what became of it', async () => {
    const pair = await createKeyPair([webhookHost], new Date());
    await using server = await start(pair);
    const { port } = server.ports();
    const client = new WebhookClient(pair.ca, port);
    const send = (bytes: string) => replyTo(port, pair.ca, bytes);
    const chunk = `80000\r\n${'x'.repeat(0x80000)}\r\n`;
    const head = (more: string) =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${more}\r\n`;
    expect(await send(head('Content-Length: 9000000\r\n'))).toMatch(/^HTTP\/1.1 413 /);
    expect(await send(head('Transfer-Encoding: chunked\r\n') + chunk.repeat(17))).toMatch(
      /^HTTP\/1.1 413 /,
    );
    expect(await send(head(`X-Large: ${'x'.repeat(20_000)}\r\n`))).toMatch(/^HTTP\/1.1 431 /);
    expect(await send('no HTTP\r\n\r\n')).toMatch(/^HTTP\/1.1 400 /);
    expect(await send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1.1 404 /);
    const text = head('Content-Length: 3\r\n').replace('application/json', 'text/xml');
    expect(await send(`${text}<a>`)).toMatch(/^HTTP\/1.1 415 /);
    const gone = connect({ port, host: '127.0.0.1', ca: pair.ca, servername: webhookHost });
    gone.write(head('Content-Length: 3\r\n'), () => gone.destroy());
    await waitUntil('it is noticed', async () => (await refusedBy(server)).includes('aborted 1'));
    expect((await client.post(path, reviewOf(pod()))).status).toBe(200);
    expect(await refusedBy(server)).toEqual([
      ...['400 1', '404 1', '413 2', '415 1', '431 1', 'aborted 1'],
    ]);
    client.close();
  });

  test('counts clients that do not trust its certificate', async () => {
    const [pair, other] = await Promise.all([
      createKeyPair([webhookHost], new Date()),
      createKeyPair([webhookHost], new Date()),
    ]);
    await using dir = await TempDir.create();
    await writeFile(dir.at('ca.crt'), other.ca);
    await using server = await start(pair);
    const { port } = server.ports();
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-verify_return_error', '-CAfile'];
    const failed = async () => (await server.metrics.failedHandshakes.get()).values[0]?.value;
    expect(await failed()).toBe(0);
    execFile('openssl', [...args, dir.at('ca.crt')]).stdin?.end();
    await waitUntil('it is counted', async () => (await failed()) === 1);
    expect(await refusedBy(server)).toEqual([]);
  });
});
