// SPDX-License-Identifier: Apache-2.0
// Edits the host's configuration files: with a backup, and only when something changes.
import { rm, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { codeOf, messageOf } from '../errors.js';
import { ContainersError } from './containers-error.js';
import type { HookOptions, HostFile, Place, ProgramFile } from './hook-options.js';
import { backupPath, readText, replaceFile, writeText } from './replace-file.js';
import { findDaemons, optionOf } from './running-daemon.js';

/** What was, or would be, done to a file. */
export interface Edit {
  path: string;
  /** A unified diff; "" when nothing changes. */
  diff: string;
  /** The file as it was before lensfs came to it; undefined when there is none. */
  backup: string | undefined;
  /** What people should know besides. */
  warnings: string[];
  /** The command after which it is in force, where that is not always the same. */
  reload?: string | undefined;
}

/**
 * The first edit is that of the file where ours is in force; more take it out of others.
 *
 * @throws ContainersError "unusable", "unreadable" or "write_failed"; then the file is as it was
 */
export async function installIn(
  file: HostFile,
  path: string,
  options: HookOptions,
  isDryRun: boolean,
): Promise<Edit[]> {
  const place = await locate(file, path);
  const before = await readText(place.path);
  const original = (await readText(backupPath(place.path))) ?? before ?? '';
  // From what it was, so that a second call with other options leaves nothing of the first.
  const clean =
    before === undefined ? '' : await attempt(place.path, () => file.remove(before, original));
  const result = await attempt(place.path, () => place.install(clean, options));
  const isSame = before !== undefined && (await isInstalled(place, before, clean, result, options));
  const after = isSame ? before : result.text;
  if (!isDryRun) await writePrograms(result.programs);
  const edit = await replace(place.path, before, after, isDryRun).catch((error: unknown) => {
    throw withAdvice(error, file);
  });
  const reload = place.reloadOf?.(before ?? '', after);
  return [
    { ...edit, warnings: result.warnings, reload },
    ...(await clear(place.others, file, isDryRun)),
  ];
}

/** Takes out what `installIn` has added; a file that held nothing else goes. */
export async function removeFrom(file: HostFile, path: string, isDryRun: boolean): Promise<Edit[]> {
  const place = await locate(file, path);
  const { edit, before = '', after = '' } = await removeAt(place.path, place.remove, isDryRun);
  const programs = place.programsOf(before);
  const left = isDryRun ? [] : await removePrograms(programs, place.socket);
  const reload = place.reloadOf?.(before, after);
  return [
    { ...edit, warnings: [...edit.warnings, ...left], reload },
    ...(await clear(place.others, file, isDryRun)),
  ];
}

async function locate(file: HostFile, path: string): Promise<Place> {
  const { at } = file;
  if (at !== undefined) return await attempt(path, () => at(path));
  return {
    path,
    others: [],
    programsOf: () => [],
    install: async (text, options) => {
      return { text: file.install(text, options), programs: [], warnings: [] };
    },
    remove: async (text, original) => ({ text: file.remove(text, original) }),
  };
}

async function clear(paths: readonly string[], file: HostFile, isDryRun: boolean): Promise<Edit[]> {
  const edits: Edit[] = [];
  const remove: Place['remove'] = async (...texts) => ({ text: file.remove(...texts) });
  for (const path of paths) edits.push((await removeAt(path, remove, isDryRun)).edit);
  return edits;
}

async function removeAt(path: string, remove: Place['remove'], isDryRun: boolean) {
  const before = await readText(path);
  if (before === undefined) return { edit: nothing(path), before, after: before };
  const original = await readText(backupPath(path));
  const removed = await attempt(path, () => remove(before, original));
  const { text, warnings = [], isPart = false } = removed;
  const isOurs = text.trim() === '' || (original === undefined && text !== before && isEmpty(text));
  const after = isOurs ? undefined : text;
  const edit = await replace(path, before, after, isDryRun);
  if (!isDryRun && !isPart) await rm(backupPath(path), { force: true });
  return { edit: { ...edit, warnings }, before, after };
}

function nothing(path: string): Edit {
  return { path, diff: '', backup: undefined, warnings: [] };
}

function isEmpty(text: string): boolean {
  return /^\s*(?:\{\s*\}|version = 2)\s*$/.test(text);
}

/** Formatting that a removal and an installation do not bring back is no change. */
async function isInstalled(
  place: Place,
  before: string,
  clean: string,
  { text }: { text: string },
  options: HookOptions,
): Promise<boolean> {
  if (text === before || clean === before) return text === before;
  const again = await place.install(before, options).catch(() => undefined);
  return again?.text === before;
}

function withAdvice(error: unknown, { elsewhere }: HostFile): unknown {
  if (!(error instanceof ContainersError) || elsewhere === undefined) return error;
  if (codeOf(error.cause) !== 'EROFS') return error;
  return new ContainersError(error.code, `${error.message}; ${elsewhere}`, error);
}

async function writePrograms(programs: readonly ProgramFile[]): Promise<void> {
  for (const { path, text } of programs) {
    await attemptWrite(path, async () => await replaceFile(path, text, 0o755));
  }
}

/** Containers that run are ended, and looked into, by the program that they were made with. */
async function removePrograms(paths: readonly string[], socket?: string): Promise<string[]> {
  if (paths.length === 0) return [];
  const shims = await findDaemons('containerd-shim');
  if (shims.some(({ args }) => optionOf(args, 'address') === socket)) {
    return paths.map((path) => `${path} stays: containers that run now need it until they end`);
  }
  for (const path of paths) {
    await rm(path, { force: true });
    for (const directory of [dirname(path), dirname(dirname(path))]) {
      await rmdir(directory).catch(() => undefined);
    }
  }
  return [];
}

async function replace(
  path: string,
  before: string | undefined,
  after: string | undefined,
  isDryRun: boolean,
): Promise<Edit> {
  const unchanged = { path, diff: '', backup: await existing(backupPath(path)), warnings: [] };
  if (before === after) return unchanged;
  const from = before === undefined ? '/dev/null' : path;
  const to = after === undefined ? '/dev/null' : path;
  const diff = createTwoFilesPatch(from, to, before ?? '', after ?? '', '', '', { context: 3 })
    .split('\n')
    .filter((line) => !line.startsWith('==='))
    .join('\n');
  if (isDryRun) return { ...unchanged, diff, backup: undefined };
  await attemptWrite(path, async () => {
    await (after === undefined ? unlink(path) : writeText(path, after));
  });
  return { ...unchanged, diff, backup: await existing(backupPath(path)) };
}

async function existing(path: string): Promise<string | undefined> {
  return (await readText(path)) === undefined ? undefined : path;
}

async function attempt<T>(path: string, edit: () => T | Promise<T>): Promise<T> {
  try {
    return await edit();
  } catch (error) {
    if (!(error instanceof ContainersError)) throw error;
    throw new ContainersError(error.code, `"${path}": ${error.message}`, error);
  }
}

async function attemptWrite(path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new ContainersError(
      'write_failed',
      `Cannot change "${path}": ${messageOf(error)}`,
      error,
    );
  }
}
