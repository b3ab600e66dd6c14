// SPDX-License-Identifier: Apache-2.0
// Entries from every source -> one Config, or every problem there is. Pure.
import type { z } from '../zod.js';
import { profileProblems } from './profiles.js';
import { type Config, type ConfigKey, configKeys, configSchema } from './schema.js';

/** One value and where somebody wrote it. */
export interface Entry {
  /** The key, such as "cpu.count"; not necessarily one that exists. */
  key: string;
  value: unknown;
  /** Such as "/etc/lensfs/config.yaml, line 3", "LENSFS_CPU_COUNT" or "--set". */
  origin: string;
}

/** One thing that is wrong, without the key and origin around it. */
export interface Problem {
  /** Empty when it is about a source as a whole. */
  key: string;
  message: string;
  origin: string;
}

export type ParseResult = { ok: true; config: Config } | { ok: false; problems: Problem[] };

/**
 * Validates entries as a whole; of several entries for one key the last one counts.
 *
 * A wrong value is a problem even where a later entry overrides it, so that removing the override
 * never breaks the configuration.
 */
export function parseConfig(entries: readonly Entry[]): ParseResult {
  const problems = entries.flatMap(checkEntry);
  if (problems.length > 0) return { ok: false, problems };

  const effective = new Map(entries.filter(hasValue).map((entry) => [entry.key, entry]));
  const parsed = configSchema.safeParse(nest([...effective.values()]));
  if (parsed.success) return { ok: true, config: parsed.data };
  return { ok: false, problems: parsed.error.issues.map((issue) => toProblem(issue, effective)) };
}

/** One line: `cpu.count: expected quota or cpuset, got "many" (--set)`. */
export function describeProblem({ key, message, origin }: Problem): string {
  const subject = key === '' ? '' : `${key}: `;
  return `${subject}${message}${origin === '' ? '' : ` (${origin})`}`;
}

/** All problems, a line each. */
export function problemsText(problems: readonly Problem[]): string {
  return problems.map(describeProblem).join('\n');
}

/** The entries of a tree of values, such as the body of a request. */
export function entriesOf(tree: Record<string, unknown>, origin: string, prefix = ''): Entry[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const key = prefix + name;
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isSection || Object.keys(value).length === 0) return [{ key, value, origin }];
    return entriesOf(value as Record<string, unknown>, origin, `${key}.`);
  });
}

/** Keys whose values differ between two configurations. */
export function changedKeys(before: Config, after: Config): ConfigKey[] {
  return configKeys.filter(({ name }) => {
    const path = name.split('.');
    return JSON.stringify(valueAt(before, path)) !== JSON.stringify(valueAt(after, path));
  });
}

/** `base` with the values that `from` has for some keys. */
export function withKeys(base: Config, from: Config, keys: readonly ConfigKey[]): Config {
  const result = structuredClone(base);
  for (const { name } of keys) {
    const parents = name.split('.');
    const leaf = parents.pop() ?? name;
    const section = valueAt(result, parents) as Record<string, unknown>;
    section[leaf] = valueAt(from, name.split('.'));
  }
  return result;
}

function checkEntry(entry: Entry): Problem[] {
  const { key, value, origin } = entry;
  const known = configKeys.find(({ name }) => name === key);
  if (known !== undefined) {
    const parsed = known.schema.safeParse(value);
    if (parsed.success && value !== undefined) return [];
    if (key === 'profiles' && Array.isArray(value) && !parsed.success) {
      return profileProblems(parsed.error.issues, value, origin, { expectedOf, quote });
    }
    return [{ key, message: mismatch(known.expected, value), origin }];
  }
  const parts = configKeys.filter(({ name }) => name.startsWith(`${key}.`));
  if (parts.length > 0) {
    if (!hasValue(entry)) return [];
    const names = parts.map(({ name }) => name.slice(key.length + 1));
    return [{ key, message: mismatch(`a mapping with ${names.join(', ')}`, value), origin }];
  }
  const above = configKeys.find(({ name }) => key.startsWith(`${name}.`));
  if (above !== undefined) {
    return [{ key: above.name, message: `expected ${above.expected}, got a mapping`, origin }];
  }
  const nearest = nearestKey(key);
  const hint = nearest === undefined ? '' : `, did you mean "${nearest}"`;
  return [{ key, message: `unknown key${hint}`, origin }];
}

function expectedOf(key: string): string | undefined {
  return configKeys.find(({ name }) => name === key)?.expected;
}

/** False for a section that is written but empty, which is as good as absent. */
function hasValue({ key, value }: Entry): boolean {
  const isEmpty = value === null || (typeof value === 'object' && Object.keys(value).length === 0);
  return !isEmpty || configKeys.some(({ name }) => name === key);
}

function toProblem(issue: z.core.$ZodIssue, effective: Map<string, Entry>): Problem {
  const key = issue.path.join('.');
  const expected = issue.code === 'custom' ? issue.params?.['expected'] : undefined;
  const { value, origin } = effective.get(key) ?? { value: issue.input, origin: 'default' };
  const message = typeof expected === 'string' ? mismatch(expected, value) : issue.message;
  return { key, message, origin };
}

function mismatch(expected: string, value: unknown): string {
  return `expected ${expected}, got ${quote(value)}`;
}

/** JSON, so that 5 and "5" look different; long values are cut. */
function quote(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function nest(entries: readonly Entry[]): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { key, value } of entries) {
    const parents = key.split('.');
    const leaf = parents.pop() ?? key;
    let section = root;
    for (const parent of parents) {
      section[parent] ??= {};
      section = section[parent] as Record<string, unknown>;
    }
    section[leaf] = value;
  }
  return root;
}

function valueAt(config: Config, path: readonly string[]): unknown {
  let value: unknown = config;
  for (const part of path) value = (value as Record<string, unknown>)[part];
  return value;
}

/** The known key or section that takes the fewest edits, if they are few enough to be a slip. */
function nearestKey(key: string): string | undefined {
  const sections = configKeys.flatMap(({ name }) => name.split('.').slice(0, -1));
  const names = [...configKeys.map(({ name }) => name), ...sections];
  const distances = names.map((name) => ({ name, edits: editDistance(key, name) }));
  const nearest = distances.sort((a, b) => a.edits - b.edits)[0];
  if (nearest !== undefined && nearest.edits <= Math.max(2, key.length / 3)) return nearest.name;
  return configKeys.find(({ name }) => name.split('.').at(-1) === key)?.name;
}

/** Edits between two short strings: a character more, less or another, or two neighbours that changed places. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforePrevious[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(substitution, swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    [beforePrevious, previous] = [previous, row];
  }
  return previous[b.length] ?? 0;
}
