// SPDX-License-Identifier: Apache-2.0
// The text of a config.toml of containerd with the CRI runtime "lensfs", and without it again. Pure.

import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  type Former,
  findSection,
  formerOf,
  type Runtimes,
  sectionPath,
} from './containerd-runtimes.js';
import { ContainersError } from './containers-error.js';
import {
  type HookOptions,
  type ProgramFile,
  runtimeArguments,
  runtimeName,
} from './hook-options.js';
import {
  clone,
  dropEmpty,
  formatKey,
  formatTable,
  makeTable,
  readToml,
  type Table,
  tableAt,
  withoutZeros,
  writeToml,
} from './toml-table.js';

export interface Surroundings {
  /** Those that are in force without ours. */
  runtimes: Runtimes;
  /** The file; a program that stands before the runtime is made below its directory. */
  path: string;
  /** Of the configuration, for an imported file that has none. */
  version?: string | undefined;
}

export interface Installed {
  text: string;
  /** Our section. */
  runtime: Table;
  programs: ProgramFile[];
}

/** A file that is not there is one of the version that all of today read. */
export function startOf(text: string): string {
  return text.trim() === '' ? 'version = 2\n' : text;
}

/** @throws ContainersError "unusable" */
export function installContainerd(
  before: string,
  options: HookOptions,
  { runtimes, path: file, version }: Surroundings,
): Installed {
  const config = readToml(before);
  const path = sectionPath(config, version);
  const former = formerOf(runtimes, options.isDefault);
  const program = makeProgram(former, options, dirname(file));
  const binary = program?.path ?? join(options.binDir, 'lensfs-runtime');
  const runtime = {
    ...former.section,
    options: { ...tableAt(former.section, ['options']), BinaryName: binary },
  };
  const known = tableAt(config, path)['runtimes'];
  // A list of runtimes takes the place of containerd's own, which has runc.
  const listed = known === undefined ? mapValues(runtimes.byName, withoutZeros) : {};
  const added = { ...listed, [runtimeName]: runtime };
  const after = clone(config);
  const section = makeTable(after, path);
  Object.assign(makeTable(section, ['runtimes']), added);
  if (options.isDefault) section['default_runtime_name'] = runtimeName;
  const text = writeToml(before, after, plainTexts(before, path, added));
  return { text, runtime, programs: program === undefined ? [] : [program] };
}

/** The text without what `installContainerd` has added; `original` is the text before it, if that is known. */
export function removeContainerd(text: string, original: string | undefined): string {
  if (text.trim() === '') return text;
  const config = readToml(text);
  const path = findSection(config);
  if (path === undefined) return text;
  const first = original === undefined ? undefined : readToml(original);
  const after = clone(config);
  const section = tableAt(after, path);
  const runtimes = tableAt(section, ['runtimes']);
  const own = nameOfFormer(runtimes[runtimeName]);
  const told = formerName(first, path);
  // Without a name containerd takes runc.
  const former = own === 'runc' && told === undefined ? undefined : (own ?? told);
  delete runtimes[runtimeName];
  if (section['default_runtime_name'] === runtimeName) {
    if (former === undefined) delete section['default_runtime_name'];
    else section['default_runtime_name'] = former;
  }
  // An empty list would be a list without runc.
  dropEmpty(section, ['runtimes']);
  if (first === undefined || original === undefined) {
    const bare = clone(after);
    dropListed(bare, {}, path);
    const isOurs = Object.keys(bare).join() === 'version';
    return isOurs ? '' : writeToml(text, after, []);
  }
  dropListed(after, first, path);
  return isDeepStrictEqual(clone(after), clone(first)) ? original : writeToml(text, after, []);
}

/** Paths of programs that were made for a text. */
export function programsNamedIn(text: string): string[] {
  const config = readToml(text);
  const path = findSection(config);
  if (path === undefined) return [];
  const binary = tableAt(config, [...path, 'runtimes', runtimeName, 'options'])['BinaryName'];
  return nameInPath(binary) === undefined ? [] : [String(binary)];
}

/** BinaryName is a path and nothing else, so what is more than a path is said by a program of its own. */
function makeProgram(
  { name, program }: Former,
  options: HookOptions,
  directory: string,
): ProgramFile | undefined {
  const chain = program === undefined ? [] : [`--lensfs-runtime=${program}`];
  const words = [...runtimeArguments(options), ...chain];
  if (words.length === 0) return undefined;
  if (!/^[\w.-]+$/.test(name) || /^\.+$/.test(name)) {
    throw new ContainersError('unusable', `Cannot be kept: the runtime's name "${name}"`);
  }
  const line = [join(options.binDir, 'lensfs-runtime'), ...words].map(quote).join(' ');
  return {
    path: join(directory, programsDirectory, name, 'lensfs-runtime'),
    text: `#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Written by "lensfs hook install containerd": the runtime of pods, which was "${name}" before.
exec ${line} "$@"
`,
  };
}

const programsDirectory = 'lensfs';

function quote(word: string): string {
  return /^[\w./=,:-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** "nvidia" of "/etc/containerd/lensfs/nvidia/lensfs-runtime". */
function nameInPath(path: unknown): string | undefined {
  return new RegExp(`/${programsDirectory}/([^/]+)/lensfs-runtime$`).exec(String(path))?.[1];
}

function nameOfFormer(runtime: unknown): string | undefined {
  return nameInPath(tableAt({ runtime }, ['runtime', 'options'])['BinaryName']);
}

function formerName(original: Table | undefined, path: readonly string[]): string | undefined {
  const name = tableAt(original ?? {}, path)['default_runtime_name'];
  return name === undefined || name === runtimeName ? undefined : String(name);
}

/** Settings of runc that containerd has by itself. */
const listedKeys = new Set(['runtime_type', 'sandbox_mode', 'sandboxer']);

/** Runtimes that were listed only because ours was. */
function dropListed(after: Table, original: Table, path: readonly string[]): void {
  const section = tableAt(after, path);
  const { runc, ...others } = tableAt(section, ['runtimes']);
  const more = Object.keys((runc ?? { more: true }) as Table).filter((key) => !listedKeys.has(key));
  const isListed = Object.keys(others).length + more.length === 0;
  if (isListed && tableAt(original, path)['runtimes'] === undefined) delete section['runtimes'];
  for (let length = path.length; length > 0; length -= 1) {
    const above = path.slice(0, length - 1);
    const name = path[length - 1] ?? '';
    if (tableAt(original, above)[name] === undefined) dropEmpty(tableAt(after, above), [name]);
  }
}

/** Ways to write it that leave each line of the text as it is, but for that of the default's name. */
function plainTexts(
  before: string,
  path: readonly string[],
  added: Record<string, Table>,
): string[] {
  const header = path.map(formatKey).join('.');
  const tables = Object.entries(added).map(([name, table]) =>
    formatTable(`${header}.runtimes.${formatKey(name)}`, table),
  );
  const start = `${before.trimEnd()}\n`;
  const setting = `default_runtime_name = "${runtimeName}"`;
  const starts = [
    start,
    start.replace(/^([ \t]*)default_runtime_name *= *("[^"\n]*"|'[^'\n]*')/m, `$1${setting}`),
    start.replace(/^([ \t]*)\[ *plugins\.[^\n\]]*\.containerd *\][^\n]*\n/m, `$&$1  ${setting}\n`),
    `${start}\n[${header}]\n  ${setting}\n`,
  ];
  return starts.map((each) => each + tables.join(''));
}

function mapValues(tables: Record<string, Table>, map: (table: Table) => Table) {
  return Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, map(table)]));
}
