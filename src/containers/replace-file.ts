// SPDX-License-Identifier: Apache-2.0
// Files of the host, read and replaced: atomically, with the mode and owner that were there, and through symbolic links.
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  open,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '../errors.js';
import { ContainersError } from './containers-error.js';

const publicMode = 0o644;

/** What a file was before the first change of ours. */
export function backupPath(path: string): string {
  return `${path}.before-lensfs`;
}

/** @throws ContainersError "unreadable"; a file that is not there is undefined */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new ContainersError('unreadable', `Cannot read "${path}": ${messageOf(error)}`, error);
  }
}

/** Writes a file, and keeps what was there before the first time. */
export async function writeText(path: string, text: string, mode = publicMode): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const before = await stat(path).catch(() => undefined);
  if (before !== undefined && (await readText(backupPath(path))) === undefined) {
    await copyFile(path, backupPath(path));
  }
  await replaceFile(path, text, mode);
}

/** The same, and keeps nothing. */
export async function replaceFile(path: string, text: string, mode = publicMode): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const target = await realpath(path).catch(() => path);
  const fresh = `${target}.lensfs-${process.pid}`;
  try {
    const handle = await open(fresh, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const before = await stat(target).catch(() => undefined);
    if (before !== undefined) {
      await chown(fresh, before.uid, before.gid);
      await chmod(fresh, before.mode & 0o7777);
    }
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
