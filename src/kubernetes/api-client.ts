// SPDX-License-Identifier: Apache-2.0
// The few requests to the API server that lensfs makes from inside a pod.
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { messageOf } from '../errors.js';
import { KubernetesError } from './kubernetes-error.js';

const timeoutMs = 10_000;
const maxReplyBytes = 8 * 1024 * 1024;

export interface ApiClientOptions {
  /** Such as "https://kubernetes.default.svc". */
  server: string;
  /** Directory of "token" and "ca.crt". */
  credentialsDir: string;
}

export type PatchType = 'json-patch' | 'merge-patch';

export interface ApiReply<T> {
  status: number;
  body: T;
}

/** Talks to one API server as the pod's service account. */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /** @throws KubernetesError "api_refused" for a status that is not 2xx, "api_unreachable" */
  async get<T>(path: string): Promise<T> {
    return accept(await this.#send<T>('GET', path), `GET ${path}`).body;
  }

  /** Replaces an object; false when somebody else has changed it since it was read. */
  async replace(path: string, object: object): Promise<boolean> {
    const reply = await this.#send('PUT', path, object, 'application/json');
    if (reply.status === 409) return false;
    accept(reply, `PUT ${path}`);
    return true;
  }

  /** Patches an object; false when a "test" of the patch fails, or somebody else was faster. */
  async patch(path: string, type: PatchType, patch: unknown): Promise<boolean> {
    const reply = await this.#send('PATCH', path, patch, `application/${type}+json`);
    if (reply.status === 409 || reply.status === 422) return false;
    accept(reply, `PATCH ${path}`);
    return true;
  }

  async #send<T>(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<ApiReply<T>> {
    const { server, credentialsDir } = this.#options;
    try {
      // Read each time: the kubelet renews the token. One after the other: of two that are missing, it is always the
      // first that is named.
      const token = await readFile(`${credentialsDir}/token`, 'utf8');
      const ca = await readFile(`${credentialsDir}/ca.crt`, 'utf8');
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        authorization: `Bearer ${token.trim()}`,
        accept: 'application/json',
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...(payload !== undefined && { 'content-length': Buffer.byteLength(payload) }),
      };
      const { status, text } = await exchange(new URL(path, server), method, ca, headers, payload);
      return { status, body: (text === '' ? undefined : JSON.parse(text)) as T };
    } catch (error) {
      const message = `Cannot reach the API server "${server}": ${messageOf(error)}`;
      throw new KubernetesError('api_unreachable', message, error);
    }
  }
}

function exchange(
  url: URL,
  method: string,
  ca: string,
  headers: Record<string, string | number>,
  payload: string | undefined,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request(url, { method, ca, headers, signal, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      let size = 0;
      incoming.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > maxReplyBytes) incoming.destroy(new Error('the reply is too large'));
        else chunks.push(chunk);
      });
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
      incoming.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function accept<T>(reply: ApiReply<T>, what: string): ApiReply<T> {
  if (reply.status >= 200 && reply.status < 300) return reply;
  const { message } = (reply.body ?? {}) as { message?: string };
  const text = `The API server answers ${reply.status} to ${what}: ${message ?? 'no reason given'}`;
  throw new KubernetesError('api_refused', text);
}
