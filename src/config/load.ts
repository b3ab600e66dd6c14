// SPDX-License-Identifier: Apache-2.0
// Sources -> Config in one step.
import { type Entry, type ParseResult, parseConfig } from './parse.js';
import { type ConfigFlags, readSources } from './sources.js';

/** What was found, valid or not. */
export type Loaded = ParseResult & { entries: readonly Entry[] };

/** Reads and validates everything; also called for each reload. */
export async function loadConfig(flags: ConfigFlags): Promise<Loaded> {
  const { entries, problems } = await readSources(flags);
  const parsed = parseConfig(entries);
  if (parsed.ok && problems.length === 0) return { ...parsed, entries };
  return {
    ok: false,
    problems: parsed.ok ? problems : [...problems, ...parsed.problems],
    entries,
  };
}
