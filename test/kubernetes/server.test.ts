// SPDX-License-Identifier: Apache-2.0
// What the webhook does with everything that is no ordinary review, and how it ends.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { describe, expect, test as unitTest } from 'vitest';
import { createKeyPair, type KeyPair } from '../../src/kubernetes/certificates.js';
import { injectableFiles } from '../../src/kubernetes/files.js';
import { WebhookServer, type WebhookServerOptions } from '../../src/kubernetes/server.js';
import { createLogger } from '../../src/logger.js';
import { lensfs, program } from '../_support/lensfs.js';
import { built, testWith } from '../_support/requirements.js';
import { TempDir } from '../_support/temp-dir.js';
import { waitUntil } from '../_support/wait.js';
import { RunningWebhook, WebhookClient, webhookHost, writePair } from '../_support/webhook.js';
import { pod, reviewOf } from './fixtures/fixture.js';

const test = testWith(built(program));
const path = '/mutate/pods/namespace';

/** A certificate for a client, which is its own authority. */
function selfSigned(dir: TempDir, name: string): Pick<KeyPair, 'cert' | 'key'> {
  const [key, cert] = [dir.at(`${name}.key`), dir.at(`${name}.crt`)];
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const files = ['-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-days', '1'];
  execFileSync('openssl', ['req', '-x509', ...algorithm, ...files], { stdio: 'pipe' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

describe('the webhook', () => {
  test('refuses what is no review, and counts it', async () => {
    await using webhook = await RunningWebhook.start();
    const replies = [
      await webhook.post(path, 'not json'),
      await webhook.post(path, '{}'),
      await webhook.post(
        path,
        reviewOf(pod()).replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1'),
      ),
      await webhook.post(path, reviewOf(pod()).replace('"uid":"u"', '"uid":""')),
      await webhook.post('/elsewhere', reviewOf(pod())),
    ];
    expect(replies.map(({ status }) => status)).toEqual([400, 400, 400, 400, 404]);
    expect(replies[1]?.text).toMatch(
      /Not an AdmissionReview of admission.k8s.io\/v1: apiVersion: /,
    );
    const { text } = await webhook.side('/metrics');
    expect(text).toMatch(/^lensfs_admission_refused_requests_total\{status="400"\} 4$/m);
    expect(text).toMatch(/^lensfs_admission_review_seconds_count 0$/m);
  });

  test('takes the largest objects, and nothing above', async () => {
    await using webhook = await RunningWebhook.start();
    const large = pod({ annotations: { 'example.com/blob': 'x'.repeat(3_000_000) } });
    expect((await webhook.post(path, reviewOf(large), false)).status).toBe(200);
    const tooLarge = pod({ annotations: { 'example.com/blob': 'x'.repeat(3_200_000) } });
    expect((await webhook.post(path, reviewOf(tooLarge), false)).status).toBe(413);
    const { text } = await webhook.side('/metrics');
    expect(text).toMatch(/^lensfs_admission_refused_requests_total\{status="413"\} 1$/m);
    expect((await webhook.post(path, reviewOf(pod()))).status).toBe(200);
  });

  test('answers only clients with a certificate of an authority and a name, when it is told', async () => {
    await using dir = await TempDir.create();
    const [server, front, other] = ['kube-apiserver', 'front', 'other'].map((name) =>
      selfSigned(dir, name),
    );
    await writeFile(dir.at('ca.crt'), [server, front].map((pair) => pair?.cert).join(''));
    await using webhook = await RunningWebhook.start([
      ...['--drain-ms', '0', '--client-ca', dir.at('ca.crt'), '--client-names', 'kube-apiserver'],
    ]);
    const ask = async (pair: Pick<KeyPair, 'cert' | 'key'> | undefined) => {
      const client = new WebhookClient(webhook.pair.ca, webhook.port, pair);
      const reply = await client.post(path, reviewOf(pod()), false).catch(() => undefined);
      client.close();
      return reply?.status ?? 'refused';
    };
    expect(await ask(undefined)).toBe('refused');
    expect(await ask(other)).toBe('refused');
    expect(await ask(front)).toBe(403);
    expect(await ask(server)).toBe(200);
    const wrong = await lensfs(['kubernetes', 'webhook', '--client-names', 'a']);
    expect(wrong.stderr).toMatch(/^lensfs: --client-names: needs --client-ca\n/);
  });

  test('never writes an object to its log', async () => {
    await using webhook = await RunningWebhook.start();
    const env = [{ name: 'PASSWORD', value: 'hunter2-secret' }];
    await webhook.post(path, reviewOf(pod({ containers: [{ name: 'a', image: 'i', env }] })));
    await webhook.post(path, reviewOf({ spec: { containers: 'hunter2-secret' } }));
    await waitUntil(
      'both are logged',
      () => webhook.log.filter(({ uid }) => uid === 'u').length === 2,
    );
    expect(JSON.stringify(webhook.log)).not.toContain('hunter2');
  });

  test('speaks TLS 1.2 and later', async () => {
    await using webhook = await RunningWebhook.start();
    const handshake = (maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string>((resolve) => {
        const options = { port: webhook.port, host: '127.0.0.1', ca: webhook.pair.ca };
        const socket = connect(
          { ...options, servername: webhookHost, minVersion: 'TLSv1.1', maxVersion },
          () => {
            resolve(String(socket.getProtocol()));
            socket.destroy();
          },
        );
        socket.on('error', () => resolve('refused'));
      });
    expect(await handshake('TLSv1.1')).toBe('refused');
    expect(await handshake('TLSv1.2')).toBe('TLSv1.2');
    expect(await handshake('TLSv1.3')).toBe('TLSv1.3');
  });

  test('answers what has begun before it ends, and says that it is not ready', async () => {
    await using webhook = await RunningWebhook.start(['--drain-ms', '1500']);
    expect(await webhook.side('/readyz')).toEqual({ status: 200, text: 'ok\n' });
    webhook.child.kill('SIGTERM');
    await waitUntil('not ready', async () => (await webhook.side('/readyz')).status === 503);
    expect((await webhook.side('/healthz')).status).toBe(200);
    expect((await webhook.post(path, reviewOf(pod()), false)).status).toBe(200);
    expect(await webhook.exited).toEqual({ code: 0, signal: null });
  });

  test('answers a request whose body was on its way when it was told to end', async () => {
    await using webhook = await RunningWebhook.start(['--drain-ms', '1000']);
    const body = reviewOf(pod());
    expect((await webhook.endDuring(webhook, path, body)).status).toBe(200);
    expect(await webhook.exited).toEqual({ code: 0, signal: null });
  });

  test('takes a new certificate of its files without a restart, and no broken one', async () => {
    await using webhook = await RunningWebhook.start([
      '--drain-ms',
      '0',
      '--certificate-interval-ms',
      '20',
    ]);
    const served = () =>
      new Promise<string>((resolve, reject) => {
        const options = { port: webhook.port, host: '127.0.0.1', rejectUnauthorized: false };
        const socket = connect({ ...options, servername: webhookHost }, () => {
          resolve(socket.getPeerX509Certificate()?.toString() ?? '');
          socket.destroy();
        });
        socket.on('error', reject);
      });
    const [second, third] = await Promise.all([
      createKeyPair([webhookHost], new Date()),
      createKeyPair([webhookHost], new Date()),
    ]);
    await writePair(webhook.dir, { ...second, key: third.key });
    const failures = async () => {
      const { text } = await webhook.side('/metrics');
      return Number(/^lensfs_admission_certificate_failures_total (\d+)$/m.exec(text)?.[1]);
    };
    await waitUntil('the wrong key is noticed', async () => (await failures()) > 0);
    expect(await served()).toBe(webhook.pair.cert);
    await writePair(webhook.dir, second);
    await waitUntil('the second is served', async () => (await served()) === second.cert);
  });

  test('does not start without a certificate, or on a port that is taken', async () => {
    await using dir = await TempDir.create();
    const args = ['kubernetes', 'webhook', '--tls', 'files', '--tls-dir', dir.path];
    const without = await lensfs(args);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(
      /^lensfs: Cannot use the certificate in ".*": ENOENT: no such file or directory, open '.*tls.crt'\n$/,
    );
    await using webhook = await RunningWebhook.start();
    await writePair(dir, webhook.pair);
    const taken = ['--host', '127.0.0.1', '--port', String(webhook.port), '--metrics-port', '0'];
    const second = await lensfs([...args, ...taken]);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(
      /lensfs: Cannot listen on 127.0.0.1, ports \d+ and 0: .*EADDRINUSE/,
    );
  });

  test('says what is wrong with its options', async () => {
    const wrong = {
      '--port=70000': '--port: expected an integer from 0 to 65535, got "70000"',
      '--files=meminfo,vmstat':
        '--files: no file "vmstat": one of cpuinfo, diskstats, loadavg, meminfo, slabinfo, stat, swaps, uptime, cpu',
      '--tree=lensfs': '--tree: expected an absolute path, got "lensfs"',
      '--tls=none': '--tls: expected self-managed or files, got "none"',
    };
    for (const [option, message] of Object.entries(wrong)) {
      const { code, stderr } = await lensfs(['kubernetes', 'webhook', option]);
      expect([code, stderr]).toEqual([2, `lensfs: ${message}\nTry "lensfs --help"\n`]);
    }
  });
});

describe('WebhookServer', () => {
  const start = async (more: Partial<WebhookServerOptions>) => {
    const pair = await createKeyPair([webhookHost], new Date());
    const review = { tree: '/var/lib/lensfs', files: injectableFiles };
    const logger = createLogger('fatal');
    const ports = { port: 0, metricsPort: 0, host: '127.0.0.1' };
    const server = await WebhookServer.start({
      ...ports,
      pair,
      review,
      logger,
      drainMs: 0,
      ...more,
    });
    return { server, client: new WebhookClient(pair.ca, server.ports().port) };
  };

  unitTest('allows what it fails at, wherever that is, and counts it', async () => {
    const logger = createLogger('fatal');
    logger.debug = () => {
      throw new Error('the log is full');
    };
    const { server, client } = await start({ logger });
    await using _server = server;
    const reply = await client.post(path, reviewOf(pod()));
    expect([reply.status, JSON.parse(reply.text)]).toEqual([
      200,
      {
        apiVersion: 'admission.k8s.io/v1',
        kind: 'AdmissionReview',
        response: { uid: 'u', allowed: true, warnings: ['lensfs: failed, see its log'] },
      },
    ]);
    const counts = await server.metrics.registry.metrics();
    expect(counts).toMatch(/^lensfs_admission_reviews_total\{result="failed"\} 1$/m);
    expect(counts).toMatch(/^lensfs_admission_reviews_total\{result="injected"\} 0$/m);
    client.close();
  });

  unitTest('ends a request that stalls, soon after its time', async () => {
    const { server, client } = await start({ requestTimeoutMs: 500 });
    await using _server = server;
    const begun = client.begin(path, 1000);
    begun.send('{"apiVersion"');
    await begun.connected;
    const since = performance.now();
    expect((await begun.reply).status).toBe(408);
    expect(performance.now() - since).toBeLessThan(3000);
    const counts = await server.metrics.registry.metrics();
    expect(counts).toMatch(/^lensfs_admission_refused_requests_total\{status="408"\} 1$/m);
    client.close();
  });
});

describe('createKeyPair()', () => {
  test('makes what OpenSSL accepts at its strictest', async () => {
    await using dir = await TempDir.create();
    const pair = await createKeyPair([webhookHost, `${webhookHost}.cluster.local`], new Date());
    await writePair(dir, pair);
    await writeFile(dir.at('ca.crt'), pair.ca);
    const verify = ['verify', '-x509_strict', '-check_ss_sig', '-purpose', 'sslserver'];
    const names = ['-verify_hostname', webhookHost, '-CAfile', dir.at('ca.crt'), dir.at('tls.crt')];
    expect(execFileSync('openssl', [...verify, ...names], { encoding: 'utf8' })).toBe(
      `${dir.at('tls.crt')}: OK\n`,
    );
    const text = execFileSync('openssl', ['x509', '-noout', '-text', '-in', dir.at('tls.crt')], {
      encoding: 'utf8',
    });
    expect(text).toContain(`DNS:${webhookHost}, DNS:${webhookHost}.cluster.local`);
    expect(text).toMatch(/X509v3 Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toContain('TLS Web Server Authentication');
  });
});
