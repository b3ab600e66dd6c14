// SPDX-License-Identifier: Apache-2.0
// RFC 6902 operations, as far as admission needs them. Pure.

export type PatchOperation =
  | { op: 'add' | 'replace'; path: string; value: unknown }
  | { op: 'remove'; path: string };

/** A JSON pointer from its parts, each escaped. */
export function pointer(...parts: readonly (string | number)[]): string {
  return parts
    .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

/** Appends to a list that may be absent or null. */
export function append(
  parts: readonly (string | number)[],
  existing: readonly unknown[] | null | undefined,
  values: readonly unknown[],
): PatchOperation[] {
  if (values.length === 0) return [];
  if (existing == null) return [{ op: 'add', path: pointer(...parts), value: values }];
  return values.map((value) => ({ op: 'add', path: pointer(...parts, '-'), value }));
}

/** Sets keys of a map that may be absent or null, and leaves its other keys alone. */
export function setKeys(
  parts: readonly (string | number)[],
  existing: Readonly<Record<string, unknown>> | null | undefined,
  values: Readonly<Record<string, string>>,
): PatchOperation[] {
  const changed = Object.entries(values).filter(([key, value]) => existing?.[key] !== value);
  if (changed.length === 0) return [];
  if (existing == null) {
    return [{ op: 'add', path: pointer(...parts), value: Object.fromEntries(changed) }];
  }
  return changed.map(([key, value]) => ({
    op: Object.hasOwn(existing, key) ? 'replace' : 'add',
    path: pointer(...parts, key),
    value,
  }));
}

/** Takes keys of a map away, those that it has. */
export function removeKeys(
  parts: readonly (string | number)[],
  existing: Readonly<Record<string, unknown>> | null | undefined,
  keys: readonly string[],
): PatchOperation[] {
  return keys
    .filter((key) => existing != null && Object.hasOwn(existing, key))
    .map((key) => ({ op: 'remove', path: pointer(...parts, key) }));
}
