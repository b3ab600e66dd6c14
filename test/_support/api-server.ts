// SPDX-License-Identifier: Apache-2.0
// As much of the Kubernetes API as lensfs uses: objects with versions, over HTTPS, for one token.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { createKeyPair } from '../../src/kubernetes/certificates.js';
import { patchWithKubectl } from './kubernetes-tools.js';
import { TempDir } from './temp-dir.js';

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind
type Json = any;

interface Reply {
  status: number;
  body: Json;
}

/** Listens on 127.0.0.1 until disposed. */
export class ApiServer implements AsyncDisposable {
  /** By path. */
  readonly objects = new Map<string, Json>();
  /** Such as "PUT /api/v1/…: 409", in order. */
  readonly requests: string[] = [];
  /** Such as "PATCH /api/v1/…": what the service account has no right to. */
  readonly forbidden = new Set<string>();
  readonly #server: Server;
  readonly #dir: TempDir;
  #version = 100;
  #token = '';

  private constructor(server: Server, dir: TempDir) {
    this.#server = server;
    this.#dir = dir;
    server.on('request', async (incoming, outgoing) => {
      const { status, body } = await this.#answer(incoming);
      this.requests.push(`${incoming.method} ${incoming.url}: ${status}`);
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(body));
    });
  }

  static async start(): Promise<ApiServer> {
    const dir = await TempDir.create();
    const pair = await createKeyPair(['localhost'], new Date());
    await writeFile(dir.at('ca.crt'), pair.ca);
    const server = createServer(pair);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const api = new ApiServer(server, dir);
    await api.renewToken();
    return api;
  }

  /** Another token for the service account, as the kubelet brings one each hour; the one before is refused. */
  async renewToken(): Promise<void> {
    this.#token = randomUUID();
    await writeFile(this.#dir.at('token'), `${this.#token}\n`);
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where the token and the authority are. */
  get credentialsDir(): string {
    return this.#dir.path;
  }

  put(path: string, object: Json): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    this.objects.set(path, { ...object, metadata });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#dir[Symbol.asyncDispose]();
  }

  async #answer(incoming: IncomingMessage): Promise<Reply> {
    const body = await text(incoming);
    if (incoming.headers.authorization !== `Bearer ${this.#token}`)
      return refuse(401, 'Unauthorized');
    const path = new URL(incoming.url ?? '', this.url).pathname;
    const what = `${incoming.method} ${path}`;
    if (this.forbidden.has(what)) return refuse(403, `the service account cannot ${what}`);
    const found = this.objects.get(path);
    if (found === undefined) return refuse(404, `"${path}" not found`);
    if (incoming.method === 'PUT') return this.#replace(path, found, JSON.parse(body));
    if (incoming.method === 'PATCH') {
      return await this.#patch(path, incoming.headers['content-type'], JSON.parse(body));
    }
    return { status: 200, body: found };
  }

  #replace(path: string, found: Json, object: Json): Reply {
    if (object.metadata.resourceVersion !== found.metadata.resourceVersion) {
      return refuse(409, 'the object has been modified');
    }
    this.put(path, object);
    return { status: 200, body: this.objects.get(path) };
  }

  async #patch(path: string, contentType: string | undefined, patch: Json): Promise<Reply> {
    if (contentType !== 'application/json-patch+json') return refuse(415, `no ${contentType} here`);
    for (;;) {
      const found = this.objects.get(path);
      try {
        const patched = await patchWithKubectl(found, patch);
        // Written by somebody else meanwhile: the patch is for what is there now, as with the real one.
        if (this.objects.get(path) !== found) continue;
        this.put(path, patched);
      } catch (error) {
        return refuse(422, String(error));
      }
      return { status: 200, body: this.objects.get(path) };
    }
  }
}

function refuse(status: number, message: string): Reply {
  return { status, body: { kind: 'Status', status: 'Failure', message, code: status } };
}
