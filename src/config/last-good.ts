// SPDX-License-Identifier: Apache-2.0
// The last configuration that was valid, for a start when the one that is written now is not: containers that run have
// files of lensfs open, and would wait for a daemon that never comes.
//
// It is in the run directory, as long as a boot: those who wait have ended with the boot, and a first start may refuse.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Loaded, loadConfig } from './load.js';
import { type Entry, type Problem, parseConfig } from './parse.js';
import type { Config } from './schema.js';
import type { ConfigFlags } from './sources.js';

const fileName = 'last-good.json';

/** A configuration to go on with. */
export interface Usable {
  config: Config;
  entries: readonly Entry[];
  /** What is wrong with the one that is written now, in whose place this is; empty when it is that. */
  problems: readonly Problem[];
}

export type LoadedOrLastGood = ({ ok: true } & Usable) | Extract<Loaded, { ok: false }>;

/** The configuration; the last good one where it is wrong, but for what the command line says. */
export async function loadOrLastGood(flags: ConfigFlags): Promise<LoadedOrLastGood> {
  const loaded = await loadConfig(flags);
  if (loaded.ok) return { ...loaded, problems: [] };
  const { entries, problems } = loaded;
  if (problems.some(isOfFlag)) return loaded;
  const saved = await readLastGood(directoriesOf(entries).run_dir);
  if (saved === undefined) return loaded;
  const config = parseTolerantly([...saved, ...entries.filter(isOfFlag)]);
  return config === undefined ? loaded : { ok: true, config, entries: saved, problems };
}

/** Remembers what was in force, but for what the command line says. */
export async function saveLastGood(
  runDir: Config['run_dir'],
  entries: readonly Entry[],
): Promise<void> {
  const path = join(runDir, fileName);
  const kept = entries.filter((entry) => !isOfFlag(entry));
  await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** Where a daemon is, as far as it can be told from a configuration that may be wrong elsewhere. */
export function directoriesOf(entries: readonly Entry[]): Pick<Config, 'tree' | 'run_dir'> {
  const config = parseTolerantly(entries.filter(({ key }) => key === 'tree' || key === 'run_dir'));
  return config ?? (parseTolerantly([]) as Config);
}

function isOfFlag({ origin }: Pick<Entry, 'origin'>): boolean {
  return origin.startsWith('--');
}

async function readLastGood(runDir: string): Promise<Entry[] | undefined> {
  try {
    return JSON.parse(await readFile(join(runDir, fileName), 'utf8')) as Entry[];
  } catch {
    return undefined; // there was none yet
  }
}

/** Without the keys that this version does not know, or takes other values for: another one may have written them. */
function parseTolerantly(entries: readonly Entry[]): Config | undefined {
  const parsed = parseConfig(entries);
  if (parsed.ok) return parsed.config;
  const wrong = new Set(parsed.problems.map(({ key }) => key));
  const again = parseConfig(entries.filter(({ key }) => !wrong.has(key)));
  return again.ok ? again.config : undefined;
}
