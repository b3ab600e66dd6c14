// SPDX-License-Identifier: Apache-2.0
// Edits one of the host's configuration files: atomically, with a backup, and only when something changes.
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { codeOf, messageOf } from '../errors.js';
import { ContainersError } from './containers-error.js';
import type { HookOptions, HostFile } from './hook-options.js';

/** What was, or would be, done to a file. */
export interface Edit {
  path: string;
  /** A unified diff; "" when nothing changes. */
  diff: string;
  /** The file as it was before lensfs came to it; undefined when there is none. */
  backup: string | undefined;
}

const publicMode = 0o644;

/** What a file was before the first change of ours. */
export function backupPath(path: string): string {
  return `${path}.before-lensfs`;
}

/** @throws ContainersError "unusable", "unreadable" or "write_failed"; then the file is as it was */
export async function installIn(
  file: HostFile,
  path: string,
  options: HookOptions,
  isDryRun: boolean,
): Promise<Edit> {
  const before = await readText(path);
  const original = (await readText(backupPath(path))) ?? before ?? '';
  // From what it was, so that a second call with other options leaves nothing of the first.
  const clean = before === undefined ? '' : attempt(path, () => file.remove(before, original));
  const after = attempt(path, () => file.install(clean, options));
  return await replace(path, before, sameWhenEqual(file, before, clean, after, options), isDryRun);
}

/** Takes out what `installIn` has added; a file that held nothing else goes. */
export async function removeFrom(file: HostFile, path: string, isDryRun: boolean): Promise<Edit> {
  const before = await readText(path);
  if (before === undefined) return { path, diff: '', backup: undefined };
  const original = await readText(backupPath(path));
  const after = attempt(path, () => file.remove(before, original));
  const isOurs = after.trim() === '' || (original === undefined && /^\s*\{\s*\}\s*$/.test(after));
  const edit = await replace(path, before, isOurs ? undefined : after, isDryRun);
  if (!isDryRun) await rm(backupPath(path), { force: true });
  return edit;
}

/** Formatting that a removal and an installation do not bring back is no change. */
function sameWhenEqual(
  file: HostFile,
  before: string | undefined,
  clean: string,
  after: string,
  options: HookOptions,
): string {
  if (before === undefined || clean === before) return after;
  return file.install(before, options) === before ? before : after;
}

async function replace(
  path: string,
  before: string | undefined,
  after: string | undefined,
  isDryRun: boolean,
): Promise<Edit> {
  if (before === after) return { path, diff: '', backup: await existing(backupPath(path)) };
  const from = before === undefined ? '/dev/null' : path;
  const to = after === undefined ? '/dev/null' : path;
  const diff = createTwoFilesPatch(from, to, before ?? '', after ?? '', '', '', { context: 3 })
    .split('\n')
    .filter((line) => !line.startsWith('==='))
    .join('\n');
  if (isDryRun) return { path, diff, backup: undefined };
  try {
    if (after === undefined) await unlink(path);
    else await writeText(path, after, before !== undefined);
  } catch (error) {
    throw new ContainersError(
      'write_failed',
      `Cannot change "${path}": ${messageOf(error)}`,
      error,
    );
  }
  return { path, diff, backup: await existing(backupPath(path)) };
}

async function writeText(path: string, text: string, exists: boolean): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (exists && (await existing(backupPath(path))) === undefined) {
    await copyFile(path, backupPath(path));
  }
  const fresh = `${path}.lensfs-${process.pid}`;
  try {
    const handle = await open(fresh, 'wx', publicMode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (exists) {
      const { mode, uid, gid } = await stat(path);
      await chown(fresh, uid, gid);
      await chmod(fresh, mode & 0o7777);
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ContainersError('unreadable', `Cannot read "${path}": ${messageOf(error)}`, error);
  }
}

async function existing(path: string): Promise<string | undefined> {
  return (await readText(path)) === undefined ? undefined : path;
}

function attempt<T>(path: string, edit: () => T): T {
  try {
    return edit();
  } catch (error) {
    if (!(error instanceof ContainersError)) throw error;
    throw new ContainersError(error.code, `"${path}": ${error.message}`, error);
  }
}
