// SPDX-License-Identifier: Apache-2.0
// The built webhook in a child process, with a certificate of its own, and a client for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { createKeyPair, type KeyPair } from '../../src/kubernetes/certificates.js';
import { cleanEnvironment, type LogLine, program } from './lensfs.js';
import { TempDir } from './temp-dir.js';

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

  constructor(ca: string, port: number) {
    this.#ca = ca;
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, ca, servername: webhookHost });
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
    const own = { agent: false as const, ca: this.#ca, servername: webhookHost };
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

/** A `lensfs kubernetes webhook --tls files`; disposing tells it to end and waits. */
export class RunningWebhook implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  readonly dir: TempDir;
  readonly pair: KeyPair;
  readonly #exited: Promise<unknown>;
  #client: WebhookClient;
  port = 0;
  metricsPort = 0;

  private constructor(dir: TempDir, pair: KeyPair, args: readonly string[]) {
    this.dir = dir;
    this.pair = pair;
    this.#client = new WebhookClient(pair.ca, 0);
    const own = ['--tls', 'files', '--tls-dir', dir.path, '--host', '127.0.0.1'];
    const ports = ['--port', '0', '--metrics-port', '0', '--log-level', 'debug'];
    this.child = spawn(
      'setpriv',
      ['--pdeathsig', 'TERM', program, 'kubernetes', 'webhook', ...own, ...ports, ...args],
      { env: cleanEnvironment(), stdio: ['ignore', 'inherit', 'pipe'] },
    );
    this.#exited = once(this.child, 'close');
  }

  static async start(args: readonly string[] = ['--drain-ms', '0']): Promise<RunningWebhook> {
    const dir = await TempDir.create();
    const pair = await createKeyPair([webhookHost], new Date());
    await writePair(dir, pair);
    const webhook = new RunningWebhook(dir, pair, args);
    const serving = await webhook.logged('Serving');
    webhook.port = Number(serving['port']);
    webhook.metricsPort = Number(serving['metricsPort']);
    webhook.#client = new WebhookClient(pair.ca, webhook.port);
    return webhook;
  }

  /** The first log line with a message. */
  async logged(message: string): Promise<LogLine> {
    const known = this.log.find(({ msg }) => msg === message);
    if (known !== undefined) return known;
    if (this.child.stderr === null) throw new Error('No log');
    const lines = createInterface(this.child.stderr);
    // One reader for the whole life: later lines are found in `log`.
    return await new Promise((resolve, reject) => {
      lines.on('line', (written) => {
        const line = written.startsWith('{')
          ? (JSON.parse(written) as LogLine)
          : { level: '', msg: written };
        this.log.push(line);
        if (line.msg === message) resolve(line);
      });
      lines.on('close', () => reject(new Error(`No "${message}": ${JSON.stringify(this.log)}`)));
    });
  }

  /** One request, if not shared over a connection of its own. */
  post(path: string, body: string | Buffer, isShared = true): Promise<HttpReply> {
    return this.#client.post(path, body, isShared);
  }

  /** A request whose body comes in pieces. */
  begin(path: string, length: number): BegunRequest {
    return this.#client.begin(path, length);
  }

  /** /healthz, /readyz or /metrics. */
  async side(path: string): Promise<HttpReply> {
    const reply = await fetch(`http://127.0.0.1:${this.metricsPort}${path}`);
    return { status: reply.status, text: await reply.text() };
  }

  get exited(): Promise<unknown> {
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    this.child.kill('SIGTERM');
    await this.#exited;
    await this.dir[Symbol.asyncDispose]();
  }
}

/** Puts a certificate where the webhook looks for it. */
export async function writePair(dir: TempDir, { cert, key }: KeyPair): Promise<void> {
  await writeFile(dir.at('tls.crt'), cert);
  await writeFile(dir.at('tls.key'), key);
}
