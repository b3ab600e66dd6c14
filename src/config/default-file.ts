// SPDX-License-Identifier: Apache-2.0
// The schema as a configuration file in which everything is a comment, and as a JSON Schema. Pure.

import { z } from '../zod.js';
import { parseConfig } from './parse.js';
import { type ConfigKey, configKeys, configSchema } from './schema.js';
import { configTexts } from './texts.js';

const head = `# Configuration of lensfs, see lensfs.yaml(5). Every key may be left out; what is written here as a
# comment is the default. "lensfs config check" looks for mistakes, "lensfs reload" applies changes.
# Files in conf.d beside this one are read after it, in the order of their names.
`;

const profileExample = `# profiles:
#   - match: {cgroup: "/docker/*"}
#     swap: off
#   - match: {label: team=data}
#     cpu: {count: cpuset}
`;

/** What \`lensfs config init\` writes. */
export function formatDefaultFile(): string {
  const defaults = defaultTexts();
  let section = '';
  const blocks = configKeys.map((key) => {
    const [parent = '', leaf] = key.name.split('.');
    const opens = leaf !== undefined && parent !== section ? `# ${parent}:\n` : '';
    section = leaf === undefined ? '' : parent;
    return `\n${describe(key)}${opens}${formatKey(key, defaults)}`;
  });
  return head + blocks.join('');
}

/** What each key is when nobody sets it, as it would be written. */
export function defaultTexts(): Record<string, unknown> {
  const parsed = parseConfig([]);
  if (!parsed.ok) throw new Error('The default configuration is wrong');
  return configTexts(parsed.config);
}

/** For editors: \`# yaml-language-server: $schema=...\`. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: 'input' }) as Record<string, unknown>;
}

/** Of what a running daemon can be told: the live keys, without their defaults. */
export function liveConfigJsonSchema(): Record<string, unknown> {
  return onlyLive(configJsonSchema() as JsonSchema);
}

interface JsonSchema extends Record<string, unknown> {
  live?: boolean;
  properties?: Record<string, JsonSchema>;
}

function onlyLive({ properties = {} }: JsonSchema): JsonSchema {
  const kept = Object.entries(properties).flatMap(([name, schema]) => {
    if (schema.live === true) return [[name, withoutDefault(schema)] as const];
    const inner = onlyLive(schema);
    return Object.keys(inner.properties ?? {}).length > 0 ? [[name, inner] as const] : [];
  });
  return { type: 'object', properties: Object.fromEntries(kept), additionalProperties: false };
}

/** What is not said stays as it is. */
function withoutDefault({ default: _, ...schema }: JsonSchema): JsonSchema {
  return schema;
}

function describe({ description, expected, live }: ConfigKey): string {
  const when = live ? '' : ' Takes effect after a restart.';
  return `# ${description}: ${expected}.${when}\n`;
}

function formatKey({ name }: ConfigKey, defaults: Record<string, unknown>): string {
  if (name === 'profiles') return profileExample;
  const [parent = '', leaf] = name.split('.');
  if (name === 'files') return '# files: all\n';
  if (leaf === undefined) return `# ${parent}: ${String(defaults[parent])}\n`;
  const inner = defaults[parent] as Record<string, unknown>;
  return `#   ${leaf}: ${String(inner[leaf])}\n`;
}
