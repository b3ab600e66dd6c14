// SPDX-License-Identifier: Apache-2.0
// Text of a values file and of --set -> values. Pure.
import { parse } from 'yaml';
import { messageOf } from '../../errors.js';
import { KubernetesError } from '../kubernetes-error.js';
import { defaultValues, type Values, valuesSchema } from './values.js';

export interface ValueSources {
  /** The text of a values file. */
  file?: { name: string; text: string };
  /** Such as "webhook.replicas=3"; the value is YAML. */
  sets: readonly string[];
}

/** @throws KubernetesError "invalid_values", with every problem */
export function parseValues({ file, sets }: ValueSources): Values {
  const raw = file === undefined ? {} : readFile(file);
  for (const text of sets) set(raw, text);
  const parsed = valuesSchema.safeParse(overlay(defaultValues, raw));
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(
    ({ path, message }) => `  ${path.map(String).join('.') || 'values'}: ${message}`,
  );
  throw invalid(`The values are wrong\n${lines.join('\n')}`);
}

type Raw = Record<string, unknown>;

/** As Helm does it: maps are merged, and null takes a key away. */
function overlay(base: Raw, over: Raw): Raw {
  const merged = Object.entries(over).map(([key, value]) => {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isMap(below) && isMap(value) ? overlay(below, value) : value] as const;
  });
  const all = new Map([...Object.entries(base), ...merged]);
  return Object.fromEntries([...all].filter(([, value]) => value !== null));
}

function isMap(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readFile({ name, text }: { name: string; text: string }): Raw {
  const value: unknown = parseYaml(name, text);
  if (value === null) return {};
  if (isMap(value)) return value;
  throw invalid(`${name}: expected a map`);
}

function parseYaml(name: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw invalid(`${name}: ${messageOf(error).split('\n')[0]}`, error);
  }
}

function set(raw: Raw, text: string): void {
  const [key = '', ...rest] = text.split('=');
  if (rest.length === 0) throw invalid(`--set: expected KEY=VALUE, got "${text}"`);
  const names = key.split('.');
  // An own, plain member each: a key such as "__proto__" is one like others, and the schema refuses it.
  let place: Raw = raw;
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(place, name) ? place[name] : undefined;
    const next: Raw = isMap(inner) ? inner : {};
    define(place, name, next);
    place = next;
  }
  define(place, names.at(-1) ?? '', parseYaml('--set', rest.join('=')));
}

function define(place: Raw, name: string, value: unknown): void {
  Object.defineProperty(place, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function invalid(message: string, cause?: unknown): KubernetesError {
  return new KubernetesError('invalid_values', message, cause);
}
