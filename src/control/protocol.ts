// SPDX-License-Identifier: Apache-2.0
// What is said on the control socket. Pure: requests, paths and the shape of errors.
import { z } from '../zod.js';
import {
  configReply,
  type ErrorReply,
  explainReply,
  filesReply,
  reloadReply,
  statusReply,
  stopReply,
  viewReply,
  viewsReply,
} from './replies.js';

export * from './replies.js';

const targetNames = ['pid', 'cgroup', 'view'] as const;

/** Whose values a file is to show: one of the three. */
export const targetQuery = z
  .strictObject({
    pid: z
      .string({ error: 'expected one process id' })
      .regex(/^[1-9]\d{0,9}$/, 'expected a process id')
      .optional(),
    cgroup: z
      .string({ error: 'expected one path' })
      .regex(/^\//, 'expected a path from the root "/"')
      .optional(),
    view: z
      .string({ error: 'expected one id of a view' })
      .min(1, 'expected the id of a view')
      .optional(),
  })
  .refine((query) => targetNames.filter((name) => query[name] !== undefined).length === 1, {
    message: `expected one of ${targetNames.join(', ')}`,
  });

const nothing = z.strictObject({});
/** What stands for "*" in the path. */
const restOfPath = z.object({ '*': z.string() });

interface Endpoint {
  method: 'GET' | 'POST' | 'PATCH';
  /** As fastify writes it: ":id" and "*" are parameters. */
  path: string;
  summary: string;
  params: z.ZodType;
  query: z.ZodType;
  /** `undefined`: there must be none. */
  body?: z.ZodType;
  reply: z.ZodType;
  /** JSON where there is none. */
  contentType?: string;
}

const plain = { params: z.object({}), query: nothing };

/** Every request there is. */
export const endpoints = {
  status: {
    ...plain,
    method: 'GET',
    path: '/v1/status',
    summary: 'What the daemon does',
    reply: statusReply,
  },
  views: {
    ...plain,
    method: 'GET',
    path: '/v1/views',
    summary: 'All containers that have read something',
    reply: viewsReply,
  },
  view: {
    ...plain,
    method: 'GET',
    path: '/v1/views/:id',
    summary: 'One of them',
    params: z.object({ id: z.string() }),
    reply: viewReply,
  },
  files: {
    ...plain,
    method: 'GET',
    path: '/v1/files',
    summary: 'The virtual files',
    reply: filesReply,
  },
  file: {
    method: 'GET',
    path: '/v1/files/*',
    summary: 'A virtual file as the process, cgroup or view sees it, of which one is named',
    params: restOfPath,
    query: targetQuery,
    reply: z.string(),
    contentType: 'text/plain; charset=utf-8',
  },
  explain: {
    method: 'GET',
    path: '/v1/explain/*',
    summary:
      'Where the numbers of a virtual file come from, for the one of the three that is named',
    params: restOfPath,
    query: targetQuery,
    reply: explainReply,
  },
  config: {
    ...plain,
    method: 'GET',
    path: '/v1/config',
    summary: 'The configuration in force',
    reply: configReply,
  },
  changeConfig: {
    ...plain,
    method: 'PATCH',
    path: '/v1/config',
    summary: 'Changes live keys of the configuration, until the next reload or restart',
    body: z.record(z.string(), z.unknown(), { error: 'expected a mapping of keys to values' }),
    reply: reloadReply,
  },
  reload: {
    ...plain,
    method: 'POST',
    path: '/v1/reload',
    summary: 'Reads the configuration again',
    reply: reloadReply,
  },
  stop: {
    ...plain,
    method: 'POST',
    path: '/v1/stop',
    summary: 'Stops the daemon',
    reply: stopReply,
  },
  events: {
    ...plain,
    method: 'GET',
    path: '/v1/events',
    summary: 'What happens, as server-sent events, until the client goes',
    reply: z.string(),
    contentType: 'text/event-stream',
  },
  metrics: {
    ...plain,
    method: 'GET',
    path: '/v1/metrics',
    summary: 'All counters, as Prometheus reads them',
    reply: z.string(),
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  },
  openapi: {
    ...plain,
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This description',
    reply: z.record(z.string(), z.unknown()),
  },
} as const satisfies Record<string, Endpoint>;

/** At the same time; further ones are closed unanswered. */
export const maxConnections = 64;

export type EndpointName = keyof typeof endpoints;
export type Reply<Name extends EndpointName> = z.output<(typeof endpoints)[Name]['reply']>;
export type Params<Name extends EndpointName> = z.output<(typeof endpoints)[Name]['params']>;
export type Query<Name extends EndpointName> = z.output<(typeof endpoints)[Name]['query']>;

/** A request whose parts have been checked. */
export interface Request<Name extends EndpointName> {
  params: Params<Name>;
  query: Query<Name>;
  body: unknown;
}

/** Codes of errors, each with its HTTP status. */
export const errorStatus = {
  bad_request: 400,
  not_found: 404,
  method_not_allowed: 405,
  timeout: 408,
  too_large: 413,
  invalid_configuration: 422,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof errorStatus;

/** What a request came to: a reply, or an error that is meant for the caller. */
export type Outcome<T> = { ok: true; reply: T } | { ok: false; code: ErrorCode; message: string };

export function errorBody(code: ErrorCode, message: string): ErrorReply {
  return { error: { code, message } };
}

/** The code that fits a refusal of the HTTP library, by the status it chose. */
export function errorCodeFor(httpStatus: number): ErrorCode {
  if (httpStatus === 404) return 'not_found';
  if (httpStatus === 413) return 'too_large';
  return httpStatus >= 400 && httpStatus < 500 ? 'bad_request' : 'internal';
}

/** The methods a path has; empty when it is no path of ours. */
export function methodsOf(url: string): string[] {
  const [path = ''] = url.split('?');
  const found = Object.values(endpoints).filter((endpoint) => matches(endpoint.path, path));
  return [...new Set(found.map(({ method }) => method))];
}

/** The first thing that is wrong with a part of a request: `pid: expected a process id, got "x"`. */
export function describeIssue(error: z.ZodError, value: unknown): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'wrong';
  if (issue.code === 'unrecognized_keys') return `unknown parameter "${issue.keys[0]}"`;
  const [name] = issue.path;
  if (name === undefined) return `${issue.message}, got ${quote(value)}`;
  const got = quote((value as Record<PropertyKey, unknown>)[name]);
  return `${String(name)}: ${issue.message}, got ${got}`;
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replace(/[.]/g, '\\.').replace(/:\w+/g, '[^/]+').replace('*', '.+');
  return new RegExp(`^${source}$`).test(path);
}
