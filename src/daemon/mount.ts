// SPDX-License-Identifier: Apache-2.0
// Makes the mount points, mounts, and says what to do when that fails.
import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mountPoints, mountsDirectory } from '../config/paths.js';
import type { Config } from '../config/schema.js';
import { codeOf, messageOf } from '../errors.js';
import type { MountPoints, NativeEngine, NativeEvent } from '../native/binding.js';
import { NativeError } from '../native/native-error.js';
import { DaemonError } from './daemon-error.js';

type Directories = Pick<Config, 'tree' | 'run_dir'>;

const publicMode = 0o755;
const rootOnlyMode = 0o700;
/** What is in a tree that a predecessor has left. */
const treeNames = ['proc', 'sys'];

/**
 * Makes what is missing of the mount points, and mounts; what a dead daemon left there is cleared.
 *
 * @throws DaemonError "no_fuse", "tree_busy", "tree_not_empty", "tree_unusable" or "mount_failed"; then nothing is left
 *   mounted
 */
export async function mountTrees(
  engine: NativeEngine,
  directories: Directories,
  onEvent: (event: NativeEvent) => void,
): Promise<void> {
  const points = mountPoints(directories);
  await makeMountPoints(directories, points);
  try {
    engine.mount(points, onEvent);
  } catch (error) {
    await removeMountPoints(directories);
    throw error instanceof NativeError ? explain(directories.tree, error) : error;
  }
}

/** Takes the directories away that `mountTrees` has made, but not `tree` itself, nor what is in use. */
export async function removeMountPoints(directories: Directories): Promise<void> {
  const { treeProc, treeSys, shared, pinned } = mountPoints(directories);
  const made = [treeProc, treeSys, shared, pinned, mountsDirectory(directories.run_dir)];
  for (const directory of made) await rmdir(directory).catch(ignore);
}

async function makeMountPoints({ tree, run_dir }: Directories, points: MountPoints): Promise<void> {
  await makeDirectory(tree, tree, publicMode);
  const others = (await listTree(tree)).filter((name) => !treeNames.includes(name));
  if (others.length > 0) throw notEmpty(tree);
  await makeDirectory(tree, points.treeProc, publicMode);
  await makeDirectory(tree, points.treeSys, publicMode);
  await makeDirectory(run_dir, mountsDirectory(run_dir), rootOnlyMode);
  await makeDirectory(run_dir, points.shared, rootOnlyMode);
  await makeDirectory(run_dir, points.pinned, rootOnlyMode);
}

async function listTree(tree: string): Promise<string[]> {
  try {
    return await readdir(tree);
  } catch (error) {
    throw unusable(tree, error);
  }
}

async function makeDirectory(of: string, directory: string, mode: number): Promise<void> {
  try {
    await mkdir(dirname(directory), { recursive: true, mode: publicMode });
    await mkdir(directory, { mode });
  } catch (error) {
    // A dead daemon's mount says EEXIST too, and is cleared later.
    if (codeOf(error) !== 'EEXIST') throw unusable(of, error);
  }
}

function explain(tree: string, error: NativeError): DaemonError {
  if (error.path === '/dev/fuse') {
    const advice = 'run "modprobe fuse", and in a container add "--privileged"';
    return new DaemonError('no_fuse', `Cannot open /dev/fuse (${error.code}): ${advice}`, error);
  }
  const path = error.path ?? tree;
  switch (error.code) {
    case 'EBUSY': {
      const advice = 'run "lensfs stop" if it is another lensfs, or choose another --tree';
      return new DaemonError('tree_busy', `Something is mounted on "${path}": ${advice}`, error);
    }
    case 'ENOTEMPTY':
      return notEmpty(path, error);
    case 'ENOTDIR':
      return unusable(path, error);
    default: {
      const advice = error.code === 'EPERM' ? '; in a container, add "--privileged"' : '';
      const message = `Cannot mount on "${path}": ${error.message}${advice}`;
      return new DaemonError('mount_failed', message, error);
    }
  }
}

function notEmpty(path: string, cause?: unknown): DaemonError {
  const advice = 'empty it, or choose another --tree';
  return new DaemonError('tree_not_empty', `"${path}" is not empty: ${advice}`, cause);
}

function unusable(path: string, error: unknown): DaemonError {
  const message = `Cannot use "${path}": ${messageOf(error)}; choose another --tree`;
  return new DaemonError('tree_unusable', message, error);
}

function ignore(): void {}
