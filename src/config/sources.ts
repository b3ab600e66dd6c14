// SPDX-License-Identifier: Apache-2.0
// File, environment and flags -> entries. The only reader of the environment.
import { fstatSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import type { Entry, Problem } from './parse.js';
import { configKeys, defaultConfigFile } from './schema.js';

/** What the command line says about the configuration. */
export interface ConfigFlags {
  /** --config; without it the default file is read if there is one. */
  file?: string | undefined;
  /** --tree, --run-dir: key to value. */
  values?: Record<string, string | undefined>;
  /** --set, each "key=value". */
  sets?: readonly string[];
}

/** Entries in order of precedence, the weakest first, and what could not be read at all. */
export interface Sources {
  entries: Entry[];
  problems: Problem[];
}

/** No configuration needs more; a larger file is a mistake. */
const maxFileBytes = 1024 * 1024;

const dropInDirectory = 'conf.d';

const envPrefix = 'LENSFS_';

// What Kubernetes and Docker put into a container's environment for a service whose name begins with "lensfs".
const serviceVariable =
  /^LENSFS_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Reads every source anew. */
export async function readSources(
  flags: ConfigFlags,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Sources> {
  const file = await readConfigFile(flags.file);
  const dropIns = await readDropIns(flags.file ?? defaultConfigFile);
  const sets = readSets(flags.sets ?? []);
  return {
    entries: [
      ...file.entries,
      ...dropIns.entries,
      ...readEnvironment(env),
      ...readFlags(flags.values ?? {}),
      ...sets.entries,
    ],
    problems: [...file.problems, ...dropIns.problems, ...sets.problems],
  };
}

/** The first descriptor that a service manager passes. */
const firstPassedDescriptor = 3;

/**
 * Name to number of the descriptors that the service manager has passed to this process (sd_listen_fds(3)): sockets it
 * listens on, and what was left in its store.
 */
export function readPassedDescriptors(
  env: NodeJS.ProcessEnv = process.env,
  pid: number = process.pid,
): Map<string, number> {
  if (env['LISTEN_PID'] !== String(pid)) return new Map();
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  const count = Math.min(Number(env['LISTEN_FDS']), names.length);
  return new Map(names.slice(0, count).map((name, index) => [name, firstPassedDescriptor + index]));
}

/** Whether standard error is read by journald (systemd.exec(5)). */
export function writesToJournal(env: NodeJS.ProcessEnv = process.env): boolean {
  const { dev, ino } = fstatSync(2);
  return env['JOURNAL_STREAM'] === `${dev}:${ino}`;
}

/** Files of conf.d beside the configuration file, in the order of their names. */
async function readDropIns(file: string): Promise<Sources> {
  const directory = join(dirname(file), dropInDirectory);
  const result: Sources = { entries: [], problems: [] };
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return result;
    return problem(`cannot read the directory: ${messageOf(error)}`, directory);
  }
  for (const name of names.filter((each) => each.endsWith('.yaml')).sort()) {
    const { entries, problems } = await readConfigFile(join(directory, name));
    result.entries.push(...entries);
    result.problems.push(...problems);
  }
  return result;
}

async function readConfigFile(file: string | undefined): Promise<Sources> {
  const path = file ?? defaultConfigFile;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const isOptional = file === undefined;
    if (isOptional && codeOf(error) === 'ENOENT') return { entries: [], problems: [] };
    return problem(`cannot read the file: ${messageOf(error)}`, path);
  }
  if (text.length > maxFileBytes) return problem(`larger than ${maxFileBytes} bytes`, path);
  // Only here: most hosts have no such file, and the library takes longer to load than all else.
  const { parseYaml } = await import('./parse-yaml.js');
  return parseYaml(text, path);
}

function readEnvironment(env: NodeJS.ProcessEnv): Entry[] {
  const keyOf = new Map(configKeys.map(({ name }) => [envName(name), name]));
  return Object.entries(env)
    .filter(([name]) => name.startsWith(envPrefix))
    .filter(([name]) => keyOf.has(name) || !serviceVariable.test(name))
    .map(([name, value]) => ({ key: keyOf.get(name) ?? keyLike(name), value, origin: name }));
}

/** "cpu.count" is LENSFS_CPU_COUNT. */
export function envName(key: string): string {
  return envPrefix + key.toUpperCase().replaceAll('.', '_');
}

/** A name to complain about for a variable that is no key's. */
function keyLike(name: string): string {
  return name.slice(envPrefix.length).toLowerCase();
}

function readFlags(values: Record<string, string | undefined>): Entry[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value, origin: `--${key.replaceAll('_', '-')}` }],
  );
}

function readSets(sets: readonly string[]): Sources {
  const result: Sources = { entries: [], problems: [] };
  for (const set of sets) {
    const separator = set.indexOf('=');
    if (separator > 0) {
      const [key, value] = [set.slice(0, separator), set.slice(separator + 1)];
      result.entries.push({ key, value, origin: '--set' });
    } else {
      const message = `expected key=value, got ${JSON.stringify(set)}`;
      result.problems.push({ key: '', message, origin: '--set' });
    }
  }
  return result;
}

function problem(message: string, origin: string): Sources {
  return { entries: [], problems: [{ key: '', message, origin }] };
}
