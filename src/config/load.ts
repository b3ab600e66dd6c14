// SPDX-License-Identifier: Apache-2.0
// Sources -> Config in one step.
import { join } from 'node:path';
import { type ParseResult, parseConfig } from './parse.js';
import { type Config, controlSocketName } from './schema.js';
import { type ConfigFlags, readSources } from './sources.js';

/** Reads and validates everything; also called for each reload. */
export async function loadConfig(flags: ConfigFlags): Promise<ParseResult> {
  const { entries, problems } = await readSources(flags);
  const parsed = parseConfig(entries);
  if (parsed.ok && problems.length === 0) return parsed;
  return { ok: false, problems: parsed.ok ? problems : [...problems, ...parsed.problems] };
}

/** The path of a daemon's control socket. */
export function controlSocketPath(runDir: Config['run_dir']): string {
  return join(runDir, controlSocketName);
}
