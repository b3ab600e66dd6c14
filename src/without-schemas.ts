// SPDX-License-Identifier: Apache-2.0
// For all servers of lensfs: zod checks what they are sent.
import type { FastifyServerOptions } from 'fastify';

function buildCompiler(): never {
  throw new Error('A route has a JSON Schema, and nothing that compiles it is loaded');
}

/** Options with which Fastify does not load its compilers of JSON Schemas, which take longer than all else to start. */
export const withoutSchemas = {
  schemaController: {
    compilersFactory: { buildValidator: buildCompiler, buildSerializer: buildCompiler },
  },
} satisfies FastifyServerOptions;
