// SPDX-License-Identifier: Apache-2.0
// The list `profiles`: which containers get other values than the rest. Pure.

import { z } from '../zod.js';
import type { Problem } from './parse.js';

/** What the values of a key may be, and how that is said. */
export interface Valued<T extends z.ZodType = z.ZodType> {
  schema: T;
  expected: string;
}

/** One pattern at least; a container must fit all that are given. */
const matchSchema = z
  .strictObject({
    cgroup: z
      .string()
      .regex(/^[/*?[]/)
      .optional(),
    name: z.string().min(1).optional(),
    label: z.string().regex(/^[^=]/).optional(),
  })
  .refine((match) => Object.values(match).some((pattern) => pattern !== undefined));

const expectedInProfile: Record<string, string> = {
  match: 'a mapping with at least one of cgroup, name, label',
  'match.cgroup': 'a pattern for a path from the root, such as /docker/*',
  'match.name': 'a pattern for a container name, such as web-*',
  'match.label': 'a label or label=value, such as team=data',
  cpu: 'a mapping with count, numbering',
};

/** The schema of the list, whose items take their values from these keys of the configuration. */
export function profilesSchema<
  Count extends z.ZodType,
  Numbering extends z.ZodType,
  Swap extends z.ZodType,
  Files extends z.ZodType,
  Freshness extends z.ZodType,
>(values: { count: Count; numbering: Numbering; swap: Swap; files: Files; freshness: Freshness }) {
  return z.array(
    z.strictObject({
      match: matchSchema,
      cpu: z
        .strictObject({ count: values.count.optional(), numbering: values.numbering.optional() })
        .optional(),
      swap: values.swap.optional(),
      files: values.files.optional(),
      freshness: values.freshness.optional(),
    }),
  );
}

/** What is wrong with a list of profiles; `expectedOf` says it for the keys of the configuration. */
export function profileProblems(
  issues: readonly z.core.$ZodIssue[],
  value: unknown,
  origin: string,
  describe: { expectedOf: (key: string) => string | undefined; quote: (value: unknown) => string },
): Problem[] {
  return issues.flatMap((issue) => {
    const [index, ...rest] = issue.path;
    const inner = rest.filter((part) => typeof part === 'string').join('.');
    const key = [index === undefined ? 'profiles' : `profiles[${String(index)}]`, inner]
      .filter((part) => part !== '')
      .join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => ({ key: `${key}.${name}`, message: 'unknown key', origin }));
    }
    const fallback = index === undefined ? 'a list of mappings' : 'a mapping with match';
    const expected = expectedInProfile[inner] ?? describe.expectedOf(inner) ?? fallback;
    const got = describe.quote(valueAt(value, issue.path));
    return [{ key, message: `expected ${expected}, got ${got}`, origin }];
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found: unknown = value;
  for (const part of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[part];
  }
  return found;
}
