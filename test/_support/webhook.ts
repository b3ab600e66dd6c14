// SPDX-License-Identifier: Apache-2.0
// The built webhook in a child process, with a certificate of its own, and a client for it.
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { createKeyPair, type KeyPair } from '../../src/kubernetes/certificates.js';
import { type CommandOptions, RunningCommand } from './lensfs.js';
import { TempDir } from './temp-dir.js';
import { waitUntil } from './wait.js';

export const webhookHost = 'lensfs-injector.lensfs-system.svc';

export interface HttpReply {
  status: number;
  text: string;
}

/** A request whose body is not there yet. */
export interface BegunRequest {
  /** Resolves when the server has the headers and what was sent with them. */
  connected: Promise<unknown>;
  send: (piece: string) => void;
  reply: Promise<HttpReply>;
}

/** Reviews over HTTPS to a port of this machine. */
export class WebhookClient {
  readonly #ca: string;
  readonly #port: number;
  readonly #agent: Agent;
  readonly #own: Pick<KeyPair, 'cert' | 'key'> | undefined;

  /** With a certificate of its own, where one is given. */
  constructor(ca: string, port: number, own?: Pick<KeyPair, 'cert' | 'key'>) {
    this.#ca = ca;
    this.#port = port;
    this.#own = own;
    this.#agent = new Agent({ keepAlive: true, ca, servername: webhookHost, ...own });
  }

  post(path: string, body: string | Buffer, isShared = true): Promise<HttpReply> {
    const outgoing = this.#open(path, isShared);
    const reply = replyTo(outgoing);
    outgoing.end(body);
    return reply;
  }

  begin(path: string, length: number): BegunRequest {
    const outgoing = this.#open(path, false);
    outgoing.setHeader('content-length', length);
    const connected = once(outgoing, 'socket').then(([socket]) => once(socket, 'secureConnect'));
    return { connected, send: (piece) => outgoing.write(piece), reply: replyTo(outgoing) };
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(path: string, isShared: boolean): ClientRequest {
    const own = {
      agent: false as const,
      ca: this.#ca,
      servername: webhookHost,
      ...this.#own,
    };
    return request({
      host: '127.0.0.1',
      port: this.#port,
      path,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      ...(isShared ? { agent: this.#agent } : own),
    });
  }
}

async function replyTo(outgoing: ClientRequest): Promise<HttpReply> {
  // One that comes after the answer, to a body that nobody waits for.
  outgoing.on('error', () => {});
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 0, text: await text(incoming) };
}

/** A `lensfs kubernetes webhook` on ports of its own. */
export class WebhookProcess extends RunningCommand {
  port = 0;
  metricsPort = 0;

  protected constructor(args: readonly string[], options: CommandOptions = {}) {
    const ports = ['--host', '127.0.0.1', '--port', '0', '--metrics-port', '0'];
    super(['kubernetes', 'webhook', ...ports, '--log-level', 'debug', ...args], options);
  }

  /** Starts one and waits until it serves. */
  static async start(args: readonly string[] = []): Promise<WebhookProcess> {
    const webhook = new WebhookProcess(args);
    await webhook.serving();
    return webhook;
  }

  protected async serving(): Promise<void> {
    const serving = await this.logged('Serving');
    this.port = Number(serving['port']);
    this.metricsPort = Number(serving['metricsPort']);
  }

  /** Sends the second part of a request's body when the program has been told to end; resolves to the answer. */
  async endDuring(
    client: Pick<WebhookClient, 'begin'>,
    path: string,
    body: string,
  ): Promise<HttpReply> {
    const begun = client.begin(path, body.length);
    begun.send(body.slice(0, 100));
    await begun.connected;
    this.child.kill('SIGTERM');
    await waitUntil('not ready', async () => (await this.side('/readyz')).status === 503);
    begun.send(body.slice(100));
    return await begun.reply;
  }

  /** /healthz, /readyz or /metrics. */
  async side(path: string): Promise<HttpReply> {
    const reply = await fetch(`http://127.0.0.1:${this.metricsPort}${path}`);
    return { status: reply.status, text: await reply.text() };
  }
}

/** One with a certificate that was made for it. */
export class RunningWebhook extends WebhookProcess {
  readonly dir: TempDir;
  readonly pair: KeyPair;
  #client: WebhookClient;

  private constructor(
    dir: TempDir,
    pair: KeyPair,
    args: readonly string[],
    options: CommandOptions,
  ) {
    super(['--tls', 'files', '--tls-dir', dir.path, ...args], options);
    this.dir = dir;
    this.pair = pair;
    this.#client = new WebhookClient(pair.ca, 0);
  }

  static override async start(
    args: readonly string[] = ['--drain-ms', '0'],
    options: CommandOptions = {},
  ): Promise<RunningWebhook> {
    const dir = await TempDir.create();
    const pair = await createKeyPair([webhookHost], new Date());
    await writePair(dir, pair);
    const webhook = new RunningWebhook(dir, pair, args, options);
    await webhook.serving();
    webhook.#client = new WebhookClient(pair.ca, webhook.port);
    return webhook;
  }

  /** One request, if not shared over a connection of its own. */
  post(path: string, body: string | Buffer, isShared = true): Promise<HttpReply> {
    return this.#client.post(path, body, isShared);
  }

  /** A request whose body comes in pieces. */
  begin(path: string, length: number): BegunRequest {
    return this.#client.begin(path, length);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await super[Symbol.asyncDispose]();
    await this.dir[Symbol.asyncDispose]();
  }
}

/** Puts a certificate where the webhook looks for it. */
export async function writePair(dir: TempDir, { cert, key }: KeyPair): Promise<void> {
  await writeFile(dir.at('tls.crt'), cert);
  await writeFile(dir.at('tls.key'), key);
}
