// SPDX-License-Identifier: Apache-2.0
// The files that containerd makes its configuration of, and the whole that it makes of them: `containerd config dump`.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../errors.js';
import { ContainersError } from './containers-error.js';
import { readText } from './replace-file.js';
import { clone, readToml, type Table, writeToml } from './toml-table.js';

const run = promisify(execFile);
/** containerd answers in some tens of milliseconds. */
const answerLimitMs = 20_000;
const answerLimitBytes = 2 ** 24;
/** More than anybody has; imports of imports have no bound of their own. */
const maxFiles = 1000;

export interface ConfigFile {
  path: string;
  text: string;
  /** Other files that it names, which containerd reads after all that it knows of already. */
  imports: string[];
}

/**
 * In the order in which containerd merges them: the file itself, then its imports, then theirs.
 *
 * @throws ContainersError "unreadable", or "unusable" when containerd cannot read them
 */
export async function readConfigFiles(program: string, path: string): Promise<ConfigFile[]> {
  const text = await readText(path);
  if (text === undefined || text.trim() === '') return [{ path, text: text ?? '', imports: [] }];
  // Versions 1.x print the files that they have read, 2.x the patterns.
  const printed = (await askForDump(program, path))?.['imports'];
  const [first, ...rest] = Array.isArray(printed) ? printed.map(String) : [];
  if (first === path) {
    const others = await Promise.all(rest.map(async (each) => await readConfigFile(each)));
    const imported = others.map((file) => ({ ...file, imports: [] }));
    return [{ path, text, imports: rest }, ...imported];
  }
  return await followImports(path);
}

/**
 * The whole configuration that containerd makes of the files; undefined when that program is not there. Copies are read,
 * so that a text can be tried before it is in force.
 *
 * @throws ContainersError "unusable" with the last line that containerd says
 */
export async function dumpConfig(
  program: string,
  files: readonly ConfigFile[],
): Promise<Table | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'lensfs-containerd-'));
  try {
    const copyOf = (path: string) => {
      return join(directory, `${files.findIndex((file) => file.path === path)}.toml`);
    };
    for (const { path, text, imports } of files) {
      await writeFile(copyOf(path), toCopy(text, imports.map(copyOf)));
    }
    return await askForDump(program, copyOf(files[0]?.path ?? ''));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Whether a text switches the CRI plugin off, of which `containerd config dump` tells nothing then. */
export function isCriDisabled(text: string): boolean {
  return disabledPlugins(readToml(text)).some(isCri);
}

async function askForDump(program: string, path: string): Promise<Table | undefined> {
  // As the service manager starts it: a relative pattern of an import begins there.
  const options = { cwd: '/', timeout: answerLimitMs, maxBuffer: answerLimitBytes };
  try {
    const { stdout } = await run(program, ['--config', path, 'config', 'dump'], options);
    return readToml(stdout);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (error instanceof ContainersError) throw error;
    throw new ContainersError('unusable', `containerd cannot read it: ${lastLine(error)}`, error);
  }
}

async function followImports(path: string): Promise<ConfigFile[]> {
  const files = new Map<string, ConfigFile>();
  const waiting = [path];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (files.has(next)) continue;
    if (files.size === maxFiles) {
      throw new ContainersError('unusable', `More than ${maxFiles} files are imported`);
    }
    const file = await readConfigFile(next);
    files.set(next, file);
    waiting.push(...file.imports);
  }
  return [...files.values()];
}

async function readConfigFile(path: string): Promise<ConfigFile> {
  const text = await readText(path);
  if (text === undefined) throw new ContainersError('unreadable', `No file "${path}" to import`);
  const { imports = [] } = readToml(text);
  const patterns = Array.isArray(imports) ? imports.map(String) : [];
  const found = await Promise.all(
    patterns.map(async (pattern) => await expand(resolve(dirname(path), pattern))),
  );
  return { path, text, imports: found.flat() };
}

/** With the copies of its imports, and with the CRI plugin, so that containerd tells of it. */
function toCopy(text: string, imports: readonly string[]): string {
  const config = readToml(text);
  const after = clone(config);
  if (config['imports'] !== undefined) after['imports'] = imports;
  const disabled = disabledPlugins(config);
  if (disabled.some(isCri)) after['disabled_plugins'] = disabled.filter((name) => !isCri(name));
  return writeToml(text, after, []);
}

function disabledPlugins({ disabled_plugins: plugins }: Table): string[] {
  return Array.isArray(plugins) ? plugins.map(String) : [];
}

function isCri(name: string): boolean {
  return /^(?:io\.containerd\.(?:grpc\.v1\.cri|cri\.v1\.runtime)|cri)$/.test(name);
}

/** As Go's filepath.Glob, whose "*" and "?" stand for no slash; a name without them is itself. */
async function expand(pattern: string): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) return [pattern];
  const directories = await expand(dirname(pattern));
  const name = toRegExp(basename(pattern));
  const found = await Promise.all(
    directories.map(async (directory) => {
      const names = await readdir(directory).catch(() => []);
      return names.filter((each) => name.test(each)).map((each) => join(directory, each));
    }),
  );
  return found.flat().sort();
}

function toRegExp(pattern: string): RegExp {
  const parts = pattern.split(/(\[[^\]]*\]|\*|\?)/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[.+^${}()|\\\]]/g, String.raw`\$&`);
    if (part === '*') return '.*';
    return part === '?' ? '.' : part;
  });
  return new RegExp(`^${parts.join('')}$`, 's');
}

function lastLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  const lines = stderr?.trim().split('\n') ?? [];
  return (lines.findLast((line) => line.trim() !== '') ?? String(error)).slice(0, 500);
}
