// SPDX-License-Identifier: Apache-2.0
// Tables of TOML: read, compared by what they mean, and written into a text that keeps its comments.
import { isDeepStrictEqual } from 'node:util';
import { parse, patch } from '@decimalturn/toml-patch';
import { messageOf } from '../errors.js';
import { ContainersError } from './containers-error.js';

export type Table = { [key: string]: unknown };

/** @throws ContainersError "unusable" */
export function readToml(text: string): Table {
  try {
    return parse(text) as Table;
  } catch (error) {
    throw new ContainersError('unusable', `Not valid TOML: ${messageOf(error)}`, error);
  }
}

/**
 * The first of the given texts that means the same as `after`; `before` when nothing changes. Plain texts come first,
 * since not every reader of TOML takes every way to say a thing.
 *
 * @throws ContainersError "unusable" when none does
 */
export function writeToml(before: string, after: Table, plain: readonly string[]): string {
  if (means(before, after)) return before;
  for (const text of [...plain, patch(before, after)]) {
    if (means(text, after)) return text;
  }
  throw new ContainersError('unusable', 'Cannot be edited without changing more than was meant');
}

/** The table at a path, or an empty one that is in nothing. */
export function tableAt(table: Table, [first, ...rest]: readonly string[]): Table {
  if (first === undefined) return table;
  const inner = table[first];
  return isTable(inner) ? tableAt(inner, rest) : {};
}

/** The same, made when it is not there. */
export function makeTable(table: Table, [first, ...rest]: readonly string[]): Table {
  if (first === undefined) return table;
  const inner = isTable(table[first]) ? table[first] : {};
  table[first] = inner;
  return makeTable(inner, rest);
}

/** Takes away the empty tables of a path, the innermost first. */
export function dropEmpty(table: Table, path: readonly string[]): void {
  const [first, ...rest] = path;
  if (first === undefined) return;
  const inner = table[first];
  if (!isTable(inner)) return;
  dropEmpty(inner, rest);
  if (Object.keys(inner).length === 0) delete table[first];
}

export function isTable(value: unknown): value is Table {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}

export function clone(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([key, value]) => [key, isTable(value) ? clone(value) : value]),
  );
}

/** Without what says nothing: false, 0, "", and empty lists and tables. */
export function withoutZeros(table: Table): Table {
  const entries = Object.entries(table).map(
    ([key, value]) => [key, isTable(value) ? withoutZeros(value) : value] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => !isZero(value)));
}

/** Paths of what is not the same in both, such as "plugins.x.containerd.snapshotter". */
export function differences(left: Table, right: Table, prefix = ''): string[] {
  const keys = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return keys.flatMap((key) => {
    const [one, other] = [left[key], right[key]];
    if (isDeepStrictEqual(one, other)) return [];
    if (isTable(one) && isTable(other)) return differences(one, other, `${prefix}${key}.`);
    return [`${prefix}${key}`];
  });
}

/** A table and those in it, with a header each. @throws ContainersError "unusable" */
export function formatTable(header: string, table: Table): string {
  const values = Object.entries(table).filter(([, value]) => !isTable(value));
  const tables = Object.entries(table).filter(([, value]) => isTable(value));
  const lines = values.map(([key, value]) => `  ${formatKey(key)} = ${formatValue(value)}\n`);
  const inner = tables.map(([key, value]) =>
    formatTable(`${header}.${formatKey(key)}`, value as Table),
  );
  return `\n[${header}]\n${lines.join('')}${inner.join('')}`;
}

export function formatKey(key: string): string {
  return /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(', ')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (['boolean', 'bigint', 'number'].includes(typeof value)) return String(value);
  throw new ContainersError('unusable', `Cannot be written again: ${String(value)}`);
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isTable(value)) return Object.keys(value).length === 0;
  return value === false || value === '' || value === 0 || value === 0n;
}

function means(text: string, value: Table): boolean {
  try {
    return isDeepStrictEqual(clone(parse(text) as Table), clone(value));
  } catch {
    return false;
  }
}
