// SPDX-License-Identifier: Apache-2.0
// Two replicas renew their certificate while 50 new connections a second verify it.
import { request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { createKeyPair, lifetimeMs } from '../../src/kubernetes/certificates.js';
import { settleMs } from '../../src/kubernetes/rotation.js';
import { runWebhook, serviceNames } from '../../src/kubernetes/webhook.js';
import { ApiServer } from '../_support/api-server.js';
import { waitUntil } from '../_support/wait.js';
import {
  countTrusted,
  putSecretTexts,
  putWebhookObjects,
  secretText,
  trustedBy,
} from '../_support/webhook-objects.js';
import { pod, reviewOf } from './fixtures/fixture.js';

const [servername = ''] = serviceNames('lensfs-system');
/** A fifth more than must be answered, for the answers that are on their way when they are counted. */
const startedPerSecond = 60;

class Replica implements AsyncDisposable {
  port = 0;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #listening: Promise<void>;

  constructor(api: ApiServer, now: () => Date) {
    let listening = () => {};
    this.#listening = new Promise((resolve) => {
      listening = resolve;
    });
    this.#running = runWebhook({
      host: '127.0.0.1',
      port: 0,
      metricsPort: 0,
      review: { tree: '/var/lib/lensfs', files: ['proc/meminfo'] },
      tls: { mode: 'self-managed', directory: '', intervalMs: 100 },
      cluster: {
        server: api.url,
        credentialsDir: api.credentialsDir,
        namespace: 'lensfs-system',
        secretName: 'lensfs-injector-tls',
      },
      drainMs: 0,
      logLevel: 'error',
      signal: this.#stop.signal,
      now,
      onListening: ({ port }) => {
        this.port = port;
        listening();
      },
    });
  }

  async ready(): Promise<void> {
    await Promise.race([this.#listening, this.#running]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

/**
 * Asks like the API server: each time on a new connection, trusting what the configuration says then. When each request
 * begins is known from the start, so that one that had to wait for the machine makes none of the others late.
 */
class Load {
  readonly failures: string[] = [];
  /** How many answers came from each certificate, by its fingerprint. */
  readonly served = new Map<string, number>();
  done = 0;
  readonly #api: ApiServer;
  readonly #replicas: readonly Replica[];
  readonly #since = performance.now();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #sent = 0;

  constructor(api: ApiServer, replicas: readonly Replica[]) {
    this.#api = api;
    this.#replicas = replicas;
    this.#beginThoseDue();
  }

  /** Returns when these many more have been answered, all of which began after the call. */
  async more(count: number): Promise<void> {
    await Promise.all(this.#running);
    const goal = this.done + count;
    await waitUntil(`${count} more answers`, () => this.done >= goal);
  }

  /** Gives, when it is called, the answers a second since it was made. */
  measureRate(): () => number {
    const [done, since] = [this.done, performance.now()];
    return () => (this.done - done) / ((performance.now() - since) / 1000);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#running);
  }

  #beginThoseDue(): void {
    while (performance.now() >= this.#dueMs()) {
      const one = this.#one().finally(() => this.#running.delete(one));
      this.#running.add(one);
    }
    this.#timer = setTimeout(() => this.#beginThoseDue(), this.#dueMs() - performance.now());
  }

  #dueMs(): number {
    return this.#since + (this.#sent * 1000) / startedPerSecond;
  }

  async #one(): Promise<void> {
    this.#sent += 1;
    const port = this.#replicas[this.#sent % this.#replicas.length]?.port ?? 0;
    try {
      const fingerprint = await ask(port, trustedBy(this.#api, this.#sent % 2));
      this.served.set(fingerprint, (this.served.get(fingerprint) ?? 0) + 1);
    } catch (error) {
      this.failures.push(String(error));
    }
    this.done += 1;
  }
}

function ask(port: number, ca: string): Promise<string> {
  const target = { host: '127.0.0.1', port, path: '/mutate/pods/namespace', method: 'POST' };
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...target, headers, agent: false, ca, servername }, (incoming) => {
      const { fingerprint256 } = (incoming.socket as TLSSocket).getPeerCertificate();
      incoming.resume();
      incoming.on('end', () => {
        if (incoming.statusCode === 200) resolve(fingerprint256);
        else reject(new Error(`status ${incoming.statusCode}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(reviewOf(pod()));
  });
}

test('A rotation under 50 requests a second fails no handshake', async () => {
  await using api = await ApiServer.start();
  putWebhookObjects(api);
  // Long enough ago that both certificates are good today: clients have no other clock.
  let now = Date.now() - lifetimeMs * 0.68;
  const clock = () => new Date(now);
  await using first = new Replica(api, clock);
  await using second = new Replica(api, clock);
  await Promise.all([first.ready(), second.ready()]);

  const certificate = () => secretText(api, 'tls.crt');
  const load = new Load(api, [first, second]);
  try {
    const before = certificate();
    await load.more(50);
    expect(countTrusted(api)).toBe(1);
    const rate = load.measureRate();
    now += lifetimeMs * 0.67;
    await waitUntil('both authorities are trusted', () => countTrusted(api) === 2);
    expect(certificate()).toBe(before);
    await load.more(50);
    expect(load.served.size).toBe(1);
    now += settleMs;
    await waitUntil('the next certificate is promoted', () => certificate() !== before);
    await load.more(50);
    expect(load.served.size).toBe(2);
    now += settleMs;
    await waitUntil('the old authority is dropped', () => countTrusted(api) === 1);
    await load.more(50);
    expect(rate()).toBeGreaterThanOrEqual(50);
  } finally {
    await load.stop();
  }
  expect(load.failures).toEqual([]);
  expect(load.done).toBeGreaterThanOrEqual(200);
  expect(load.served.size).toBe(2);
  // Of two replicas that write at once one is refused, and nobody else.
  expect(api.requests.filter((line) => !/: (200|409|422)$/.test(line))).toEqual([]);
});

test('A webhook that cannot reach the API server does not start', async () => {
  await using api = await ApiServer.start();
  const one = new Replica(api, () => new Date());
  await expect(one.ready()).rejects.toThrow(/The API server answers 404 to GET .*secrets/);
  await expect(one[Symbol.asyncDispose]()).rejects.toThrow();
});

test('A certificate for other names than the service has is not kept', async () => {
  await using api = await ApiServer.start();
  putWebhookObjects(api);
  const other = await createKeyPair(['other.svc'], new Date());
  const texts = {
    'tls.crt': other.cert,
    'tls.key': other.key,
    'tls-ca.crt': other.ca,
    'ca.crt': other.ca,
  };
  putSecretTexts(api, { ...texts, changed: new Date().toISOString() });
  await using replica = new Replica(api, () => new Date());
  await replica.ready();
  const ca = trustedBy(api);
  expect(ca).not.toContain(other.ca);
  await expect(ask(replica.port, ca)).resolves.toMatch(/^[0-9A-F:]+$/);
});
