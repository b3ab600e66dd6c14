// SPDX-License-Identifier: Apache-2.0
// admission.k8s.io/v1: a review in, a review out. Pure, and never an answer that refuses anything.

import { messageOf } from '../errors.js';
import { printable } from '../printable.js';
import { z } from '../zod.js';
import { admissionPaths } from './names.js';
import { podSchema } from './pod.js';
import {
  type NamespaceTraits,
  nothing,
  type Review,
  type ReviewOptions,
  reviewEphemeralContainers,
  reviewPod,
} from './pod-review.js';
import { reviewWorkload } from './workload.js';

const apiVersion = 'admission.k8s.io/v1';

/** The API server's own recommendation; longer ones are cut. */
const maxWarningLength = 120;

const reviewSchema = z.looseObject({
  apiVersion: z.literal(apiVersion),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1),
    operation: z.string(),
    subResource: z.string().nullish(),
    object: z.unknown(),
    oldObject: z.unknown(),
  }),
});

export type AdmissionRequest = z.output<typeof reviewSchema>['request'];

export interface AdmissionResponse {
  apiVersion: typeof apiVersion;
  kind: 'AdmissionReview';
  response: {
    uid: string;
    allowed: true;
    patchType?: 'JSONPatch';
    /** Base64 of the JSON of the operations. */
    patch?: string;
    warnings?: string[];
  };
}

export type AdmissionPath = (typeof admissionPaths)[keyof typeof admissionPaths];

/** What a path says about the namespace, which a review does not carry. */
const namespaces: Readonly<Record<string, NamespaceTraits>> = {
  [admissionPaths.namespace]: { isOptedIn: true, isRestricted: false },
  [admissionPaths.pod]: { isOptedIn: false, isRestricted: false },
  [admissionPaths.namespaceRestricted]: { isOptedIn: true, isRestricted: true },
  [admissionPaths.podRestricted]: { isOptedIn: false, isRestricted: true },
};

/** The request of a review, or what is wrong with the body. */
export function parseReview(
  body: unknown,
): { ok: true; request: AdmissionRequest } | { ok: false; message: string } {
  const parsed = reviewSchema.safeParse(body);
  if (parsed.success) return { ok: true, request: parsed.data.request };
  const [issue] = parsed.error.issues;
  const where = issue?.path.join('.') || 'body';
  return {
    ok: false,
    message: `Not an AdmissionReview of ${apiVersion}: ${where}: ${issue?.message}`,
  };
}

/** Decides; a failure is a result like the others. */
export function review(
  path: AdmissionPath,
  request: AdmissionRequest,
  options: ReviewOptions,
): Review {
  try {
    return decide(path, request, options);
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** What becomes of an object that something has gone wrong with. */
export function failed(reason: string): Review {
  return { ...nothing('failed', reason), warnings: ['lensfs: failed, see its log'] };
}

function decide(path: AdmissionPath, request: AdmissionRequest, options: ReviewOptions): Review {
  if (path === admissionPaths.workload) {
    return reviewWorkload(request.object, request.operation, request.oldObject);
  }
  const namespace = namespaces[path];
  if (namespace === undefined) return nothing('failed', `no such path "${path}"`);
  const pod = podSchema.parse(request.object);
  if (request.operation === 'CREATE') return reviewPod(pod, namespace, options);
  if (request.subResource !== 'ephemeralcontainers') {
    return nothing('not_selected', `${request.operation} of a pod`);
  }
  const old = podSchema.safeParse(request.oldObject);
  return reviewEphemeralContainers(pod, old.success ? old.data : undefined, namespace, options);
}

/** The answer the API server gets. */
export function respond({ uid }: AdmissionRequest, { patch, warnings }: Review): AdmissionResponse {
  const cut = warnings
    .map(printable)
    .map((text) =>
      text.length > maxWarningLength ? `${text.slice(0, maxWarningLength - 1)}…` : text,
    );
  return {
    apiVersion,
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      ...(patch.length > 0 && {
        patchType: 'JSONPatch' as const,
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      }),
      ...(cut.length > 0 && { warnings: cut }),
    },
  };
}
