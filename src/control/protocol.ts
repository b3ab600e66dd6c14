// SPDX-License-Identifier: Apache-2.0
// What is said on the control socket. Pure: schemas, paths and the shape of errors.
import { z } from '../zod.js';

/** Method and path of each request. */
export const endpoints = {
  status: { method: 'GET', path: '/v1/status' },
  stop: { method: 'POST', path: '/v1/stop' },
  reload: { method: 'POST', path: '/v1/reload' },
} as const;

export type EndpointName = keyof typeof endpoints;

/** Reply to `status`; counters are since the daemon's start. */
export const statusReply = z.object({
  version: z.string(),
  /** The keeper's: what a service manager and signals know. */
  pid: z.int(),
  workerPid: z.int(),
  /** How many workers have served, this one included. */
  workers: z.int(),
  /** Whether the keeper is dead, so that a start of lensfs would take over. */
  orphaned: z.boolean(),
  /** Of the public tree's highest stack. */
  layers: z.int(),
  /** Of the worker. */
  uptimeSec: z.number(),
  tree: z.string(),
  runDir: z.string(),
  layout: z.enum(['v1', 'v2', 'hybrid']),
  controllers: z.record(z.string(), z.string()),
  views: z.int(),
  handles: z.int(),
  heldDescriptors: z.int(),
  reads: z.int(),
  renders: z.int(),
  fallbacks: z.array(z.object({ file: z.string(), cause: z.string(), count: z.int() })),
});

/** Reply to `stop`, sent when nothing is mounted any more; the daemon then exits. */
export const stopReply = z.object({ stopped: z.literal(true) });

/** Reply to `reload`: the keys that changed, by when they take effect. */
export const reloadReply = z.object({
  applied: z.array(z.string()),
  needsRestart: z.array(z.string()),
});

/** Body of every reply that is not a success. */
export const errorReply = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export const replies = {
  status: statusReply,
  stop: stopReply,
  reload: reloadReply,
} satisfies Record<EndpointName, z.ZodType>;

export type StatusReply = z.output<typeof statusReply>;
export type StopReply = z.output<typeof stopReply>;
export type ReloadReply = z.output<typeof reloadReply>;
export type ErrorReply = z.output<typeof errorReply>;
export type Reply<Name extends EndpointName> = z.output<(typeof replies)[Name]>;

/** Codes of errors, each with its HTTP status. */
export const errorStatus = {
  bad_request: 400,
  not_found: 404,
  method_not_allowed: 405,
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
export function methodsOf(path: string): string[] {
  return Object.values(endpoints)
    .filter((endpoint) => endpoint.path === path)
    .map(({ method }) => method);
}
