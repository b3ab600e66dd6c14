// SPDX-License-Identifier: Apache-2.0
// The table of requests as an OpenAPI 3.1 document. Pure.
import { z } from '../zod.js';
import { type EndpointName, endpoints, errorReply } from './protocol.js';

interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: unknown;
}

/**
 * The document that /v1/openapi.json answers with.
 *
 * @param bodies JSON Schemas of request bodies that say more than the check of their shape
 */
export function describeApi(
  version: string,
  bodies: Partial<Record<EndpointName, unknown>> = {},
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}').replace('*', '{path}');
    const checked = 'body' in endpoint ? schemaOf(endpoint.body) : undefined;
    const body = bodies[name as EndpointName] ?? checked;
    const contentType = 'contentType' in endpoint ? endpoint.contentType : 'application/json';
    const mediaType = contentType.split(';')[0] ?? contentType;
    paths[path] ??= {};
    paths[path][endpoint.method.toLowerCase()] = {
      operationId: name,
      summary: endpoint.summary,
      parameters: [
        ...parametersOf(endpoint.params, 'path'),
        ...parametersOf(endpoint.query, 'query'),
      ],
      ...(body === undefined
        ? {}
        : { requestBody: { required: true, content: jsonContent(body) } }),
      responses: {
        200: {
          description: 'Done',
          content: { [mediaType]: { schema: schemaOf(endpoint.reply) } },
        },
        default: { description: 'An error', content: jsonContent(schemaOf(errorReply)) },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'lensfs control API', version },
    servers: [{ url: 'http://localhost', description: 'the socket control.sock in run_dir' }],
    paths,
  };
}

function jsonContent(schema: unknown) {
  return { 'application/json': { schema } };
}

function schemaOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  return rest;
}

function parametersOf(schema: z.ZodType, where: Parameter['in']): Parameter[] {
  const { properties = {} } = schemaOf(schema) as { properties?: Record<string, unknown> };
  return Object.entries(properties).map(([name, property]) => ({
    name: name === '*' ? 'path' : name,
    in: where,
    required: where === 'path',
    schema: property,
  }));
}
