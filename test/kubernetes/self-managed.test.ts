// SPDX-License-Identifier: Apache-2.0
// The built webhook with the service account of its pod, from the first certificate to SIGTERM.
import { connect } from 'node:tls';
import { expect } from 'vitest';
import { createKeyPair, lifetimeMs } from '../../src/kubernetes/certificates.js';
import { settleMs } from '../../src/kubernetes/rotation.js';
import { serviceNames } from '../../src/kubernetes/webhook.js';
import { ApiServer } from '../_support/api-server.js';
import { lensfs, program } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';
import { WebhookClient, WebhookProcess, webhookHost } from '../_support/webhook.js';
import {
  countTrusted,
  putSecretTexts,
  putWebhookObjects,
  secretPath,
  secretText,
  trustedBy,
} from '../_support/webhook-objects.js';
import { pod, reviewOf } from './fixtures/fixture.js';

const test = testWith(built(program));
const path = '/mutate/pods/namespace';
const dnsNames = serviceNames('lensfs-system');
const connections = ({ url, credentialsDir }: { url: string; credentialsDir: string }) => [
  ...['--api-server', url, '--credentials', credentialsDir],
];

/** What is served to a client that trusts what the API server trusts. */
function served(api: ApiServer, port: number): Promise<string> {
  const options = { host: '127.0.0.1', port, ca: trustedBy(api), servername: webhookHost };
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      resolve(socket.getPeerX509Certificate()?.toString() ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

test('The program makes its certificate, renews it, and finishes what has begun', async () => {
  await using api = await ApiServer.start();
  putWebhookObjects(api);
  const times = ['--certificate-interval-ms', '20', '--drain-ms', '1000'];
  await using webhook = await WebhookProcess.start([...connections(api), ...times]);
  const review = async () => {
    const reply = await new WebhookClient(trustedBy(api), webhook.port).post(
      path,
      reviewOf(pod()),
      false,
    );
    expect(reply.status).toBe(200);
    const { response } = JSON.parse(reply.text);
    expect(response).toMatchObject({ uid: 'u', allowed: true, patchType: 'JSONPatch' });
  };
  const settle = () =>
    putSecretTexts(api, { changed: new Date(Date.now() - settleMs - 1000).toISOString() });
  const isServed = async (key: string) =>
    (await served(api, webhook.port)) === secretText(api, key);
  await review();
  expect(await isServed('tls.crt')).toBe(true);
  expect(countTrusted(api)).toBe(1);

  // Two thirds of its life are over.
  const old = await createKeyPair(dnsNames, new Date(Date.now() - lifetimeMs * 0.7));
  const texts = { 'tls.crt': old.cert, 'tls.key': old.key, 'tls-ca.crt': old.ca, 'ca.crt': old.ca };
  putSecretTexts(api, texts);
  await waitUntil('both authorities are trusted', () => countTrusted(api) === 2);
  await waitUntil('the old one is served', async () => await isServed('tls.crt'));
  const next = secretText(api, 'next.crt');
  expect(next).not.toBe(old.cert);
  await api.renewToken();
  settle();
  await waitUntil('the next one is served', async () => (await served(api, webhook.port)) === next);
  await review();
  settle();
  await waitUntil('the old authority is dropped', () => countTrusted(api) === 1);
  expect(trustedBy(api)).not.toBe(old.ca);
  await review();

  const body = reviewOf(pod());
  const client = new WebhookClient(trustedBy(api), webhook.port);
  expect((await webhook.endDuring(client, path, body)).status).toBe(200);
  expect(await webhook.exited).toEqual({ code: 0, signal: null });
  expect(webhook.otherLines).toEqual([]);
});

test('The program does not start without its service account, or without its rights', async () => {
  await using api = await ApiServer.start();
  putWebhookObjects(api);
  await using empty = await TempDir.create();
  const run = async (credentialsDir: string) => {
    const { code, stderr } = await lensfs([
      ...['kubernetes', 'webhook', ...connections({ url: api.url, credentialsDir })],
    ]);
    return [code, stderr];
  };
  expect(await run(empty.path)).toEqual([
    1,
    `lensfs: Cannot reach the API server "${api.url}": ENOENT: no such file or directory, open '${empty.at('token')}'\n`,
  ]);
  const forbidden = `PUT ${secretPath}`;
  api.forbidden.add(forbidden);
  expect(await run(api.credentialsDir)).toEqual([
    1,
    `lensfs: The API server answers 403 to ${forbidden}: the service account cannot ${forbidden}\n`,
  ]);
});
