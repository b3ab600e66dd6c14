// SPDX-License-Identifier: Apache-2.0
// The built webhook in a child process, with a certificate of its own, and a client for it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { createKeyPair, type KeyPair } from '../../src/kubernetes/certificates.js';
import { cleanEnvironment, type LogLine, program } from './lensfs.js';
import { TempDir } from './temp-dir.js';

export const webhookHost = 'lensfs-injector.lensfs-system.svc';

export interface HttpReply {
  status: number;
  text: string;
}

/** A `lensfs kubernetes webhook --tls files`; disposing tells it to end and waits. */
export class RunningWebhook implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly log: LogLine[] = [];
  readonly dir: TempDir;
  readonly pair: KeyPair;
  readonly #agent: Agent;
  readonly #exited: Promise<unknown>;
  port = 0;
  metricsPort = 0;

  private constructor(dir: TempDir, pair: KeyPair, args: readonly string[]) {
    this.dir = dir;
    this.pair = pair;
    this.#agent = new Agent({ keepAlive: true, ca: pair.ca, servername: webhookHost });
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
      lines.on('line', (text) => {
        const line = text.startsWith('{')
          ? (JSON.parse(text) as LogLine)
          : { level: '', msg: text };
        this.log.push(line);
        if (line.msg === message) resolve(line);
      });
      lines.on('close', () => reject(new Error(`No "${message}": ${JSON.stringify(this.log)}`)));
    });
  }

  /** One request; `agent: false` makes a connection of its own. */
  post(path: string, body: string | Buffer, isShared = true): Promise<HttpReply> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: this.port,
          path,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          ...(isShared
            ? { agent: this.#agent }
            : { agent: false as const, ca: this.pair.ca, servername: webhookHost }),
        },
        (incoming) => {
          let text = '';
          incoming.setEncoding('utf8');
          incoming.on('data', (chunk) => {
            text += chunk;
          });
          incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, text }));
          incoming.on('error', reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
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
    this.#agent.destroy();
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
