// SPDX-License-Identifier: Apache-2.0
// Sources -> Config in one step.
import { type ParseResult, parseConfig } from './parse.js';
import { type ConfigFlags, readSources } from './sources.js';

/** Reads and validates everything; also called for each reload. */
export async function loadConfig(flags: ConfigFlags): Promise<ParseResult> {
  const { entries, problems } = await readSources(flags);
  const parsed = parseConfig(entries);
  if (parsed.ok && problems.length === 0) return parsed;
  return { ok: false, problems: parsed.ok ? problems : [...problems, ...parsed.problems] };
}
